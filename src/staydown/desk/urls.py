"""Addresses of the desk."""

from django.urls import path

from staydown.desk import quarantine, requests, sign_in

urlpatterns = [
    path("", requests.queue),
    path("closed", requests.closed),
    path("quarantine", quarantine.quarantine),
    path("quarantine/<str:flood_id>/<str:action>", quarantine.decide),
    path("sign-in", sign_in.sign_in),
    path("sign-out", sign_in.sign_out),
    path("requests/<str:number>", requests.one_request),
    path("requests/<str:number>/<str:action>", requests.act),
]
