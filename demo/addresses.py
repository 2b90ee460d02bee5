"""The text that `make run` prints when everything answers."""

ASSET = "downloads/pets/v2.1.0/pets-2.1.0-soak.bin"


def text(base: str, metrics_token: str) -> str:
    """The addresses, one on each line; `base` has no slash at its end."""
    return f"""\
The portal is running; Ctrl-C stops it.

  home         {base}/
  downloads    {base}/downloads/pets
               {base}/downloads/prospects
  clone        git clone {base}/pets.git
  download     curl --remote-name {base}/{ASSET}
  metrics      {base}/metrics?token={metrics_token}
"""
