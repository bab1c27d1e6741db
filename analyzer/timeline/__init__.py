"""When the phone was active or idle: one module per log, and the phases made of them."""
