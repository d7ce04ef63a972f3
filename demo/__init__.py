"""The main job of doorkey, step by step, on the embedded provider or on a real Keycloak."""
