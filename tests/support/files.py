"""Files of the demo that tests ask for, as paths of the portal."""

BIG = "/downloads/pets/v2.1.0/pets-2.1.0-soak.bin"
SMALL = "/downloads/pets/v2.1.0/SHA256SUMS"
