"""URLs and claims of the test site."""

from django.contrib.auth.views import LoginView
from django.http import HttpResponse, JsonResponse
from django.urls import include, path
from oauth2_provider.decorators import protected_resource
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauth2_provider.urls import metadata_urlpatterns


class Validator(OAuth2Validator):
    """Adds the standard claims to ID tokens and userinfo, by scope."""

    oidc_claim_scope = OAuth2Validator.oidc_claim_scope | {
        "email": "email",
        "name": "profile",
        "preferred_username": "profile",
    }

    def get_additional_claims(self, request):
        user = request.user
        return {"email": user.email, "name": user.get_full_name(), "preferred_username": user.username}

    # django-oauth-toolkit 3.4.1 leaves these two out; without them prompt=none is a 500
    def validate_silent_login(self, request):
        return bool(request.user and request.user.is_authenticated)

    validate_silent_authorization = validate_silent_login


@protected_resource(scopes=["read"])
def resource(request):
    """A protected resource: GET /api/ with a Bearer token of scope `read`."""
    return JsonResponse({"user": request.resource_owner and request.resource_owner.username})


urlpatterns = [
    path("login/", LoginView.as_view(template_name="login.html")),
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
    path("", include(metadata_urlpatterns)),  # RFC 8414 and RFC 9728 at the origin
    path("api/", resource),
    path("healthz", lambda request: HttpResponse("ok")),
]
