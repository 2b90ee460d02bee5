"""What tests share: stand-ins, clients, browsers, generators."""
