"""The door for the platform: reviewers' pages and the API that platforms call."""
