"""Addresses of the survivor site."""

from django.urls import path

from staydown.survivor_site import case, demo_tour, pages, register, request

urlpatterns = [
    path("", pages.start),
    path("register", register.register),
    path("request", request.ask_for_removal),
    path("case", case.case),
    path("case/add", register.add),
    path("case/proof", case.proof),
    path("case/close", case.close),
    path("case/withdraw/<str:what>", case.withdraw),
    path("help/under-18", pages.under_18),
    path("how-it-works", pages.how_it_works),
    path("exit", pages.leave),
    path("calendar", pages.neutral),
    path("demo/picture", demo_tour.picture),
]
