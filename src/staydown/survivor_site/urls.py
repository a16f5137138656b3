"""Addresses of the survivor site."""

from django.urls import path

from staydown.survivor_site import (
    case,
    demo_tour,
    elsewhere,
    help_pages,
    language,
    options,
    pages,
    register,
    request,
    steps,
)

urlpatterns = [
    path("", pages.start),
    path("register", register.register),
    path("request", request.ask_for_removal),
    path("case", case.case),
    path("case/add", register.add),
    path("case/proof", case.proof),
    path("steps", steps.steps),
    path("case/plan", steps.kept_plan),
    path("case/plan/delete", steps.forget_kept_plan),
    path("case/elsewhere", elsewhere.tracker),
    path("case/elsewhere/<str:request_id>", elsewhere.tracked),
    path("places", elsewhere.places),
    path("places/<str:channel_id>", elsewhere.place),
    path("options", options.options),
    path("help", help_pages.everybody),
    path("help/friends", help_pages.friends),
    path("help/schools", help_pages.schools),
    path("case/close", case.close),
    path("case/withdraw/<str:what>", case.withdraw),
    path("help/under-18", pages.under_18),
    path("how-it-works", pages.how_it_works),
    path("how-it-works/check", pages.check),
    path("safety", pages.safety),
    path("language", language.choose),
    path("exit", pages.leave),
    path("calendar", pages.neutral),
    path("demo/picture", demo_tour.picture),
]
