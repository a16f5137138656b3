"""From the answers to an ordered list of steps: what to do first, where to report, what to keep, whom to ask.

Says what can be done, never what the law makes of a case; each step links to where it is done.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from staydown.law import Cover, Need, Organisation, People, Statement, options_for, organisations, statement
from staydown.survivor_site.answers import Answers, What, Where


@dataclass(frozen=True, slots=True)
class Link:
    """Where a step is done. An address of another site is marked by `outside`."""

    href: str
    text: str
    outside: bool = False


@dataclass(frozen=True, slots=True)
class PlanStep:
    """One step that can be ticked. `source` is the legal row that it rests on, if any."""

    id: str
    heading: str
    text: str
    links: tuple[Link, ...] = ()
    source: Statement | None = None


def plan_for(answers: Answers) -> tuple[PlanStep, ...]:
    """The steps for these answers, in the order in which to take them."""
    found = [
        *_danger(answers),
        *_threat(answers),
        _do_not_engage(),
        _keep(),
        *_register(answers),
        *_report(answers),
        _police(answers),
        _law(answers),
        _support(answers),
    ]
    return tuple(found)


def _outside(organisation: Organisation) -> Link:
    return Link(organisation.url, organisation.name, outside=True)


def _links(answers: Answers, *needs: Need) -> tuple[Link, ...]:
    country = answers.place.country if answers.place else None
    return tuple(
        _outside(one)
        for need in needs
        for one in organisations(country=country, people=People.ADULTS, need=need)
    )


def _danger(answers: Answers) -> list[PlanStep]:
    if not answers.in_danger:
        return []
    return [
        PlanStep(
            "danger",
            _("Get safe first"),
            _(
                "If someone may hurt you, call the emergency number where you are, or go to a place "
                "with other people. If you might hurt yourself, talk to someone now. The rest of this "
                "list can wait."
            ),
            _links(answers, Need.CRISIS),
        )
    ]


def _threat(answers: Answers) -> list[PlanStep]:
    if answers.where is not Where.THREATENED:
        return []
    return [
        PlanStep(
            "threat",
            _("Someone threatens to share it"),
            _(
                "You do not have to pay, and you do not have to answer. Save the threat: a picture of "
                "the screen, the account name, the date. A threat can be a crime too, even if nothing "
                "was shared."
            ),
            source=statement("tida-crime-threats"),
        )
    ]


def _do_not_engage() -> PlanStep:
    return PlanStep(
        "quiet",
        _("Do not argue with the person who shared it"),
        _("You owe them no answer. Do not delete your chats with them yet: they may help you later."),
    )


def _keep() -> PlanStep:
    return PlanStep(
        "keep",
        _("Keep what you know"),
        _(
            "Write down each link, the account name, and the date and time. Save messages. Do this "
            "before you report, if you can: after that the post may be gone. It helps, but you can "
            "report without it. Do not use web archives: they make another public copy."
        ),
        source=statement("log-each-item"),
    )


def _register(answers: Answers) -> list[PlanStep]:
    first = PlanStep(
        "register",
        _("Register your pictures"),
        _(
            "If you have the picture or video, your device can make fingerprints of it. The picture "
            "stays with you. Uploads that match are then stopped on the platforms that use this site."
        ),
        (Link("/register", _("Register pictures")),),
    )
    elsewhere = PlanStep(
        "stopncii",
        _("Register them for the large platforms too"),
        _(
            "StopNCII.org works the same way for many large platforms. It is for adults, and you need "
            "to have the file."
        ),
        tuple(_outside(one) for one in organisations() if one.id == "stopncii"),
        source=statement("stopncii"),
    )
    return [first, elsewhere]


def _report(answers: Answers) -> list[PlanStep]:
    if answers.where is Where.THREATENED:
        return []
    steps = [
        PlanStep(
            "request",
            _("Ask for it to be removed"),
            _(
                "If it is on a platform that uses this site, ask here. You need the link, and nothing "
                "else but your word. You need no lawyer and no proof of who you are."
            ),
            (Link("/request", _("Ask for removal here")),),
            source=statement("tida-removal-48h"),
        ),
        PlanStep(
            "elsewhere",
            _("Report it on other sites"),
            _("Each site has its own form. We list them, with a letter that you can paste."),
            (Link("/places", _("Where to report on other sites")),),
        ),
    ]
    if answers.where in (Where.UNKNOWN, Where.SITE):
        steps.append(
            PlanStep(
                "search",
                _("Take it out of search results"),
                _(
                    "If you do not have the exact link, a search engine may show it. Search engines "
                    "can hide results about you. The page itself stays until its site removes it."
                ),
                (Link("/places/google-search", _("How to report it to a search engine")),),
            )
        )
    return steps


def _police(answers: Answers) -> PlanStep:
    return PlanStep(
        "police",
        _("You can go to the police"),
        _(
            "That is your choice, and you can make it later. Bring your list of links and messages. "
            "You can take someone with you."
        ),
        _links(answers, Need.POLICE),
    )


def _law(answers: Answers) -> PlanStep:
    chosen = answers.place
    if chosen is None:
        return PlanStep(
            "law",
            _("See what the law says"),
            _("Choose where you live, and see which laws we know of, with their sources."),
            (Link("/options", _("The law where you live")),),
        )
    made = answers.what in (What.ALTERED, What.MADE_UP)
    found = options_for(chosen.id)
    source = None
    if not made:
        text = _("These are the laws that we know of where you live, with their sources.")
    elif found.synthetic is Cover.YES:
        text = _("The law where you live reaches altered or made-up pictures too. See which, and its source.")
        source = found.row
    else:
        text = _(
            "We could not confirm whether the law where you live reaches altered or made-up pictures. "
            "That does not mean no. See what we know, and who can tell you more."
        )
    link = Link(f"/options?place={chosen.id.lower()}", _("The law where you live"))
    return PlanStep("law", _("See what the law says"), text, (link,), source=source)


def _support(answers: Answers) -> PlanStep:
    return PlanStep(
        "support",
        _("Talk to someone who knows this"),
        _("You did nothing wrong. Some people help with just this every day, and a friend can help too."),
        (*_links(answers, Need.SUPPORT), Link("/help", _("Everyone who can help"))),
    )
