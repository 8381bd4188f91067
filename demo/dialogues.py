"""What callers want and how the AI answers, in the languages of the demo lines.

Every text is a str.format template. It may name: name, first, service, place (who takes over when
the AI cannot help), day, time, other_day, other_time, closes, price, number (of an invoice),
minutes.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Script:
    """One way a conversation goes: the turns after the opening line, and the AI's summary."""

    turns: str
    summary: str


@dataclass(frozen=True)
class Intent:
    """Why somebody calls.

    weight is the share among all intents. seconds is the median length of the call and spread
    the sigma of its log-normal distribution. fields names the values that go to custom_fields.
    """

    name: str
    weight: float
    seconds: int
    spread: float
    tags: tuple[str, ...]
    sentiment: str
    scripts: dict[str, tuple[Script, ...]]
    fields: tuple[str, ...] = field(default=())


INTENTS = (
    Intent(
        name="book",
        weight=30,
        seconds=110,
        spread=0.45,
        tags=("appointment",),
        sentiment="positive",
        fields=("service", "day", "time"),
        scripts={
            "en": (
                Script(
                    "Caller: Hi, this is {name}. I'd like to book {service}, please.\n"
                    "Agent: Of course, {first}. The next free times are {day} at {time} and"
                    " {other_day} at {other_time}. Would one of those suit you?\n"
                    "Caller: {day} at {time} works for me.\n"
                    "Agent: Done. That's {service} on {day} at {time} under {name}. You'll get a"
                    " text message to confirm. Anything else?\n"
                    "Caller: No, that's all. Thank you!",
                    "{name} booked {service} for {day} at {time}. Confirmation by text message.",
                ),
                Script(
                    "Caller: Hello, do you have anything free this week for {service}?\n"
                    "Agent: Let me look. I can offer {other_day} at {other_time}.\n"
                    "Caller: That's difficult, I work until five. Anything on {day}?\n"
                    "Agent: On {day} I have {time}. Shall I put you down for that?\n"
                    "Caller: Yes please. The name is {name}.\n"
                    "Agent: Thank you, {first}. You're booked for {day} at {time}.",
                    "{name} asked for {service}. {other_day} did not suit; booked for {day} at"
                    " {time}.",
                ),
            ),
            "de": (
                Script(
                    "Caller: Guten Tag, {name} hier. Ich hätte gern einen Termin für {service}.\n"
                    "Agent: Gern. Frei sind am {day} um {time} Uhr und am {other_day} um"
                    " {other_time} Uhr. Passt Ihnen einer davon?\n"
                    "Caller: Am {day} um {time} Uhr passt gut.\n"
                    "Agent: Eingetragen: am {day}, {time} Uhr, auf den Namen {name}. Sie bekommen"
                    " eine SMS zur Bestätigung.\n"
                    "Caller: Wunderbar, vielen Dank. Auf Wiederhören!",
                    "{name} hat einen Termin für {service} gebucht: am {day}, {time} Uhr."
                    " Bestätigung per SMS.",
                ),
            ),
        },
    ),
    Intent(
        name="new-customer",
        weight=8,
        seconds=150,
        spread=0.4,
        tags=("new-customer", "appointment"),
        sentiment="positive",
        fields=("service", "day", "time"),
        scripts={
            "en": (
                Script(
                    "Caller: Hi, I found you online and I've never been with you before. Are you"
                    " taking new customers?\n"
                    "Agent: Yes, we are. May I have your name?\n"
                    "Caller: {name}. I'm looking for {service}.\n"
                    "Agent: Welcome, {first}. A first visit takes about {minutes} minutes. Would"
                    " {day} at {time} suit you?\n"
                    "Caller: That's perfect. Do I need to bring anything?\n"
                    "Agent: No, only yourself. We look forward to meeting you on {day}.",
                    "New customer {name} wants {service}. First visit on {day} at {time},"
                    " about {minutes} minutes.",
                ),
            ),
            "de": (
                Script(
                    "Caller: Hallo, mein Name ist {name}. Ich war noch nie bei Ihnen. Nehmen Sie"
                    " neue Kunden an?\n"
                    "Agent: Ja, gern. Worum geht es denn?\n"
                    "Caller: Um {service}.\n"
                    "Agent: Der erste Besuch dauert etwa {minutes} Minuten. Passt Ihnen"
                    " am {day} um {time} Uhr?\n"
                    "Caller: Ja, das passt.\n"
                    "Agent: Dann sehen wir uns am {day} um {time} Uhr. Herzlich willkommen!",
                    "{name} ist Neukunde und möchte {service}. Erster Besuch am {day},"
                    " {time} Uhr.",
                ),
            ),
        },
    ),
    Intent(
        name="reschedule",
        weight=11,
        seconds=80,
        spread=0.4,
        tags=("appointment", "reschedule"),
        sentiment="neutral",
        fields=("day", "time"),
        scripts={
            "en": (
                Script(
                    "Caller: Hi, it's {name}. I have to move my appointment on {other_day}.\n"
                    "Agent: No problem, {first}. I see it, {other_day} at {other_time}. When would"
                    " you like to come instead?\n"
                    "Caller: Would {day} be possible?\n"
                    "Agent: {day} at {time} is free. I've moved you there.\n"
                    "Caller: Great, thanks a lot.",
                    "{name} moved the appointment from {other_day} at {other_time} to {day} at"
                    " {time}.",
                ),
                Script(
                    "Caller: Hello, I need to cancel {service} on {day} at {time}. I'm ill.\n"
                    "Agent: I'm sorry to hear that. May I have your name?\n"
                    "Caller: {name}.\n"
                    "Agent: Thank you. {day} at {time} is cancelled, free of charge. Shall we find"
                    " a new date?\n"
                    "Caller: I'll call again when I'm better.",
                    "{name} cancelled {service} on {day} at {time} (illness) and will call again.",
                ),
            ),
            "de": (
                Script(
                    "Caller: {name}, guten Tag. Ich muss meinen Termin am {other_day}"
                    " verschieben.\n"
                    "Agent: Kein Problem. Ich sehe ihn: am {other_day}, {other_time} Uhr. Wann"
                    " würde es Ihnen passen?\n"
                    "Caller: Geht es am {day}?\n"
                    "Agent: Am {day} um {time} Uhr ist frei. Ich habe Sie umgebucht.\n"
                    "Caller: Super, danke schön.",
                    "{name} hat den Termin von {other_day}, {other_time} Uhr, auf {day}, {time}"
                    " Uhr, verschoben.",
                ),
            ),
        },
    ),
    Intent(
        name="hours",
        weight=13,
        seconds=38,
        spread=0.4,
        tags=("question", "hours"),
        sentiment="neutral",
        scripts={
            "en": (
                Script(
                    "Caller: Hi, how late are you open on {day}?\n"
                    "Agent: On {day} we're open until {closes}.\n"
                    "Caller: And is there parking?\n"
                    "Agent: Yes, there are a few spaces right in front of the building.\n"
                    "Caller: Perfect, thank you.",
                    "Asked for the hours on {day} (open until {closes}) and about parking.",
                ),
                Script(
                    "Caller: Quick question, what's your address?\n"
                    "Agent: I've just sent it to you by text message, with a map. We're open until"
                    " {closes} on {day}.\n"
                    "Caller: That's quick. Thanks!",
                    "Asked for the address; sent by text message with the hours of {day}.",
                ),
            ),
            "de": (
                Script(
                    "Caller: Guten Tag, wie lange haben Sie am {day} geöffnet?\n"
                    "Agent: Am {day} haben wir bis {closes} Uhr geöffnet.\n"
                    "Caller: Und kann man bei Ihnen parken?\n"
                    "Agent: Ja, direkt vor dem Haus gibt es einige Plätze.\n"
                    "Caller: Danke, das war schon alles.",
                    "Frage nach den Öffnungszeiten am {day} (bis {closes} Uhr) und nach"
                    " Parkplätzen.",
                ),
            ),
        },
    ),
    Intent(
        name="price",
        weight=10,
        seconds=62,
        spread=0.45,
        tags=("question", "pricing"),
        sentiment="neutral",
        fields=("service", "price"),
        scripts={
            "en": (
                Script(
                    "Caller: Hello, what would {service} cost?\n"
                    "Agent: It starts at {price}. The exact price depends on what is needed.\n"
                    "Caller: OK. And how long does it take?\n"
                    "Agent: Usually about {minutes} minutes. Would you like a time for it?\n"
                    "Caller: I'll think about it and call back, thanks.",
                    "Asked for the price of {service}: from {price}, about {minutes} minutes."
                    " Will call back.",
                ),
            ),
            "de": (
                Script(
                    "Caller: Hallo, was kostet {service} bei Ihnen?\n"
                    "Agent: Das beginnt bei {price}. Der genaue Preis hängt vom Aufwand ab.\n"
                    "Caller: Und wie lange dauert das?\n"
                    "Agent: Meist etwa {minutes} Minuten. Möchten Sie gleich einen Termin?\n"
                    "Caller: Ich überlege es mir und melde mich wieder.",
                    "Preisanfrage für {service}: ab {price}, etwa {minutes} Minuten. Meldet sich"
                    " wieder.",
                ),
            ),
        },
    ),
    Intent(
        name="billing",
        weight=8,
        seconds=135,
        spread=0.5,
        tags=("billing",),
        sentiment="neutral",
        fields=("number", "price"),
        scripts={
            "en": (
                Script(
                    "Caller: Hi, this is {name}. I have a question about invoice {number}.\n"
                    "Agent: Thank you, {first}. Invoice {number} is for {price}. What would you"
                    " like to know?\n"
                    "Caller: I've already paid it, but I got a reminder this morning.\n"
                    "Agent: I'm sorry about that. I've noted that you paid, and a colleague will"
                    " check it and call you back on {day}.\n"
                    "Caller: All right, thank you.",
                    "{name} got a reminder for invoice {number} ({price}) although it is paid."
                    " Call back on {day}.",
                ),
                Script(
                    "Caller: Hello, could you send me invoice {number} again? The name is"
                    " {name}.\n"
                    "Agent: Certainly. It goes to the e-mail address that we have on file. Can I"
                    " do anything else?\n"
                    "Caller: Can I pay the {price} by card?\n"
                    "Agent: Yes, the link is on the invoice.\n"
                    "Caller: Great.",
                    "{name} asked for a copy of invoice {number} ({price}) and will pay by card.",
                ),
            ),
            "de": (
                Script(
                    "Caller: {name}, guten Tag. Es geht um die Rechnung {number}.\n"
                    "Agent: Ja, die Rechnung über {price}. Was möchten Sie wissen?\n"
                    "Caller: Ich habe schon bezahlt und trotzdem eine Mahnung bekommen.\n"
                    "Agent: Das tut mir leid. Ich habe es notiert, wir prüfen das und rufen Sie"
                    " am {day} zurück.\n"
                    "Caller: Gut, danke.",
                    "{name}: Mahnung zu Rechnung {number} ({price}) trotz Zahlung. Rückruf am"
                    " {day}.",
                ),
            ),
        },
    ),
    Intent(
        name="complaint",
        weight=5,
        seconds=190,
        spread=0.5,
        tags=("complaint", "callback"),
        sentiment="negative",
        fields=("day",),
        scripts={
            "en": (
                Script(
                    "Caller: This is {name}. I waited {minutes} minutes on {other_day} although I"
                    " had an appointment. That's not acceptable.\n"
                    "Agent: I'm very sorry, {first}. That shouldn't happen. May I pass this on to"
                    " {place}?\n"
                    "Caller: Yes. And I want somebody to call me back.\n"
                    "Agent: I've asked for a call on {day} at {time}. Is this number right?\n"
                    "Caller: Yes, it is.\n"
                    "Agent: Thank you for telling us, and again my apologies.",
                    "{name} complained about a wait of {minutes} minutes on {other_day}. Wants a"
                    " call back from {place} on {day} at {time}.",
                ),
            ),
            "de": (
                Script(
                    "Caller: {name} hier. Ich habe am {other_day} {minutes} Minuten gewartet,"
                    " obwohl ich einen Termin hatte. So geht das nicht.\n"
                    "Agent: Das tut mir sehr leid. Darf ich das an {place} weitergeben?\n"
                    "Caller: Ja, und ich möchte zurückgerufen werden.\n"
                    "Agent: Ich habe einen Rückruf am {day} um {time} Uhr vermerkt.\n"
                    "Caller: Gut, ich warte darauf.",
                    "{name} hat sich über {minutes} Minuten Wartezeit am {other_day} beschwert."
                    " Rückruf am {day} um {time} Uhr erwünscht.",
                ),
            ),
        },
    ),
    Intent(
        name="transfer",
        weight=10,
        seconds=165,
        spread=0.6,
        tags=("transfer",),
        sentiment="neutral",
        scripts={
            "en": (
                Script(
                    "Caller: Could I speak to {place}, please? It's {name}.\n"
                    "Agent: May I ask what it is about?\n"
                    "Caller: It's about {service}. We spoke on {other_day}.\n"
                    "Agent: Thank you, {first}. I'm putting you through now.",
                    "{name} asked for {place} about {service}; transferred.",
                ),
            ),
            "de": (
                Script(
                    "Caller: {name}, guten Tag. Kann ich mit jemandem persönlich sprechen?\n"
                    "Agent: Gern. Darf ich fragen, worum es geht?\n"
                    "Caller: Um {service}. Wir hatten am {other_day} telefoniert.\n"
                    "Agent: Danke, ich stelle Sie durch an {place}.",
                    "{name} wollte jemanden persönlich sprechen ({service});"
                    " durchgestellt an {place}.",
                ),
            ),
        },
    ),
    Intent(
        name="spam",
        weight=5,
        seconds=14,
        spread=0.5,
        tags=("spam",),
        sentiment="negative",
        scripts={
            "en": (
                Script(
                    "Caller: Hello, am I speaking to the owner? We noticed that your business"
                    " listing is about to expire.\n"
                    "Agent: We don't take sales calls on this line. Goodbye.",
                    "Sales call about a business listing; ended by the agent.",
                ),
            ),
            "de": (
                Script(
                    "Caller: Guten Tag, spreche ich mit der Geschäftsführung? Es geht um Ihren"
                    " Stromvertrag.\n"
                    "Agent: Werbeanrufe nehmen wir nicht entgegen. Auf Wiederhören.",
                    "Werbeanruf zu einem Stromvertrag; vom Assistenten beendet.",
                ),
            ),
        },
    ),
)

UNCLEAR = {
    "en": Script(
        "Caller: (inaudible) ... for {day}, I think.\n"
        "Agent: I'm sorry, I could not understand you. Could you say that again?\n"
        "Caller: (inaudible)\n"
        "Agent: The connection is bad. I'll ask {place} to call you back.",
        "The caller was hard to understand; perhaps about {day}. Needs a call back.",
    ),
    "de": Script(
        "Caller: (unverständlich) ... am {day}, glaube ich.\n"
        "Agent: Entschuldigung, ich habe Sie nicht verstanden. Können Sie das wiederholen?\n"
        "Caller: (unverständlich)\n"
        "Agent: Die Verbindung ist schlecht. Wir rufen Sie zurück.",
        "Kaum zu verstehen, vielleicht für {day}. Rückruf nötig.",
    ),
}


def _by_speech(**names: str) -> dict[str, list[str]]:
    return {speech: text.split() for speech, text in names.items()}


FIRST_NAMES = _by_speech(
    en="""
    Emma Liam Olivia Noah Ava Ethan Sophia Mason Mia Lucas Amelia Logan Harper James Evelyn Aiden
    Priya Omar Grace Daniel Chloe Samuel Zoe Henry Nora Isaac Maya Owen Ruby Leo
    """,
    de="""
    Anna Paul Lena Felix Marie Jonas Laura Lukas Julia Maximilian Sophie Elias Lea Moritz Hannah
    Jan Katharina Tim Aylin Mehmet Claudia Stefan Petra Uwe Sabine Dirk
    """,
)
LAST_NAMES = _by_speech(
    en="""
    Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Wilson Anderson Thomas Taylor
    Moore Jackson Martin Lee Thompson White Harris Clark Lewis Robinson Walker Young Allen King
    Wright Scott Nguyen Hill Green Adams Baker Nelson Patel Campbell Mitchell O'Brien Kelly Murphy
    Khan Hughes Edwards Collins Stewart Morris Rogers Reed
    """,
    de="""
    Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer
    Richter Klein Wolf Schröder Neumann Schwarz Zimmermann Braun Krüger Hofmann Hartmann Lange
    Werner Krause Lehmann Köhler Maier Kaya Demir Nowak Vogel Jung
    """,
)
DAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday"),
    "de": ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag"),
}
