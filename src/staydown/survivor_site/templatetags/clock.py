"""Times as people read them: date, time and zone first, then what is left."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django import template
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

register = template.Library()


@register.filter
def moment(at: datetime) -> SafeString:
    """`Tuesday 24 November 2026, 15:19 UTC` in a time element that a script may repeat in local time."""
    utc = at.astimezone(UTC)
    # Translators: a day, a time and the zone, in the letters of Django's "date" filter.
    text = date_format(utc, _("l j F Y, H:i \\U\\T\\C"))
    return format_html('<time datetime="{}">{}</time>', utc.isoformat(timespec="seconds"), text)


def _span(length: timedelta) -> str:
    minutes = int(length.total_seconds()) // 60
    hours, minutes = divmod(minutes, 60)
    parts = []
    if hours:
        parts.append(ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours})
    if minutes or not hours:
        parts.append(ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes})
    if len(parts) == 2:
        # Translators: hours and minutes, as in "47 hours 59 minutes".
        return _("%(hours)s %(minutes)s") % {"hours": parts[0], "minutes": parts[1]}
    return parts[0]


@register.filter
def left(deadline_at: datetime, now: datetime) -> str:
    """`47 hours 59 minutes left`, or plainly that the time has passed."""
    if deadline_at >= now:
        return _("%s left") % _span(deadline_at - now)
    return _("%s too late") % _span(now - deadline_at)


@register.filter
def is_past(deadline_at: datetime, now: datetime) -> bool:
    """Whether a deadline has passed."""
    return deadline_at < now
