"""Addresses of the desk."""

from django.urls import path

from staydown.desk import requests, sign_in

urlpatterns = [
    path("", requests.queue),
    path("closed", requests.closed),
    path("sign-in", sign_in.sign_in),
    path("sign-out", sign_in.sign_out),
    path("requests/<str:number>", requests.one_request),
    path("requests/<str:number>/<str:action>", requests.act),
]
