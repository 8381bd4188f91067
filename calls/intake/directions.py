"""Which side of a call is the line, by the provider's word for its direction."""


def is_outbound(word: str) -> bool | None:
    """Whether the line calls (From is the line) or is called; None for an unknown word.

    The word is as provider_word() spells it: inbound, outbound-api, outbound-dial, incoming, …
    """
    # An originating trunk delivers calls to us, a terminating one carries ours to the network.
    if word in ("inbound", "incoming", "trunking-originating"):
        return False
    if word.startswith(("outbound", "outgoing")) or word == "trunking-terminating":
        return True
    return None
