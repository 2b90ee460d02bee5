"""GitLab API client: releases and package files, cached and refreshed in the background."""
