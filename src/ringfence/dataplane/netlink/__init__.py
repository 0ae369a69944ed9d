"""Programs as the kernel's own messages, in both directions: the codec, without a socket."""
