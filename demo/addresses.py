"""The text that `make run` prints when everything answers."""

ASSET = "downloads/pets/v2.1.0/pets-2.1.0-windows.zip"


def text(base: str, metrics_token: str) -> str:
    """The addresses, one on each line; `base` has no slash at its end."""
    return f"""\
The portal is running; Ctrl-C stops it.

  home         {base}/
  releases     {base}/downloads/pets
               {base}/downloads/prospects
  clone        git clone {base}/pets.git
  one file     {base}/{ASSET}
  metrics      {base}/metrics?token={metrics_token}
"""
