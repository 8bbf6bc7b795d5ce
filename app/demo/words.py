"""What the demo's people write after a visit or a call: small stories that somebody typed in the car."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Story:
    """One thing that happened. `about` is the machine it needs: ``""`` none, ``any``, or what the machine has: ``arm``,
    ``bucket``, ``telehandler``, ``roller``. `kinds` are the ways it can have come about; `again` says that something
    was promised. Alternatives within `subject` and `sentences` are divided by ``|``; {machine}, {person}, {town} and
    {hours} stand for the customer's own."""

    about: str
    kinds: tuple[str, ...]
    again: bool
    subject: str
    sentences: tuple[str, ...]


_VISIT, _CALL, _MAIL, _NOTE = ("visit",), ("call",), ("e-mail",), ("note",)
_TALK = ("visit", "call")

STORIES = (
    Story("any", _VISIT, True, "Service for {machine}|Next service of {machine}", (
        "Met {person} in the yard.|Coffee with {person} in the site hut.|{person} had ten minutes.",
        "{machine} stands at about {hours} h and the service was not on anybody's list.|"
        "{machine} is at {hours} h, they would rather have it done early than in the season.",
        "Promised a date by Friday.|Workshop should call about a date, mornings only.|Wants it in the winter break.")),
    Story("any", _CALL, True, "Service date for {machine}", (
        "{person} rang while I was in {town}.|Rang {person} back in the evening.",
        "Wants the service of {machine} on site, the low loader costs them a day.|"
        "Asked whether {machine} can be done on a Saturday. Told them what that costs.",
        "Settle it with the workshop and call back.|I check who is free and let them know.")),
    Story("any", _VISIT, False, "They do the oil themselves", (
        "Long talk with {person} about the service of {machine}.|{person} showed me their workshop, very tidy.",
        "They change the oil themselves but want the filters from us, as a set.|"
        "Their mechanic does everything up to 500 h, the rest comes to us.",
        "Fine with me.|Left them the plan with the part numbers.|")),
    Story("any", _VISIT, False, "Greasing on {machine}", (
        "Grease gun was lying dry beside {machine}.|Half the points on {machine} had never seen grease.",
        "Showed the driver the plan once more.|Told {person}, who told the driver, loudly.",
        "Left two cartridges.|Bring a printed plan for the cab next time.|")),
    Story("any", _TALK, True, "Service agreement for {machine}", (
        "{person} asked what full service would cost for {machine}.|Offered {person} the agreement for {machine}.",
        "Likes that the price is fixed for three years.|Finds it dear, but has not counted the last two repairs.",
        "Send the sheet with the hours filled in.|Offer goes out this week.")),
    Story("any", _CALL, False, "Fault code on {machine}", (
        "{person} read the code to me over the telephone.|{person} sent a photo of the display of {machine}.",
        "Only the seat switch. Plug cleaned, runs again.|Water in the pre-filter. Told them where not to buy diesel.|"
        "Battery was flat, not the machine's fault at all.",
        "|No visit needed.")),
    Story("any", _VISIT, True, "Oil under {machine}|{machine} loses oil", (
        "Drove out at once because {machine} blocked the only lane.|{person} was not amused.",
        "The leak is at the return line, not at the pump as they thought.|"
        "A fitting had worked loose, tightened it. Look at it again.",
        "Technician comes on Thursday with a new hose.|Rings me if it drips again.")),
    Story("any", _TALK, True, "{machine} has no power when cold", (
        "The driver says that {machine} takes ten minutes to wake up.|{person} complains about {machine} at dawn.",
        "I suspect the fuel pre-filter, it is the one from the last service.|"
        "Heater plugs, says our workshop. They want to be sure first.",
        "Technician looks at it this week.|Call {person} after the weekend.")),
    Story("any", _VISIT, False, "Goodwill for {machine}", (
        "{person} showed me the torn seat of {machine}.|{person} wants the alternator of {machine} for nothing.",
        "Out of warranty by two months. I said I would ask and promised nothing.|"
        "We share it: they pay the part, we the work.",
        "Settled.|They were content with that.|")),
    Story("any", _TALK, True, "Trade-in for {machine}", (
        "{person} would give {machine} in payment if the price is right.|{person} asks what {machine} would bring.",
        "About {hours} h, one owner, papers complete.|{hours} h, paint is poor, the engine is not.",
        "Valuation with photos, then talk again.|Told them to expect an answer next week.")),
    Story("any", _MAIL, True, "Manual and parts list for {machine}", (
        "{person} needs the operator's manual of {machine} for the safety officer.|"
        "{person} asks for the parts list of {machine} as a file.",
        "Sent the manual, the parts list follows.|Asked head office for it.")),
    Story("any", _MAIL, False, "Hours of {machine}", (
        "{person} sent the hour meters of the whole fleet.|Asked {person} for the hours, answer within the hour.",
        "{machine} is at {hours} h now.|{machine} shows {hours} h, less than I thought.")),
    Story("any", _NOTE, False, "New driver on {machine}", (
        "Young man, came from the competition's machines.|Her third week, drives better than most.",
        "Half an hour of instruction on {machine}, paper signed.|Gave the short instruction and the sticker.")),
    Story("any", _VISIT, False, "{machine} seen on site near {town}", (
        "Saw {machine} from the road and stopped.|On the way to somebody else, {machine} at work.",
        "Runs every day, the driver keeps it cleaner than my car.|Driver content, air conditioning a bit weak.",
        "{person} was not there.|Greetings left for {person}.|")),
    Story("any", _CALL, True, "Rental while {machine} is in the workshop", (
        "{person} needs something from Monday.|{person} has to go on working.",
        "Offered the demonstrator for a week.|Nothing free in that size before Wednesday.",
        "Confirm tomorrow.|Ask the rental desk and call back.")),
    Story("any", _VISIT, False, "Handed {machine} back after repair", (
        "{person} took it over and tried everything twice.|Driver grinned, so it must be right.",
        "Invoice explained line by line.|Old parts shown, as they like it.")),
    Story("any", _TALK, False, "Winter storage", (
        "{machine} stands still from December until March.|They put {machine} away over winter.",
        "Told {person}: full tank, battery out, dry place.|Battery goes on the charger, {person} wrote it down.")),
    Story("arm", _VISIT, True, "Hose on {machine}", (
        "Hose at the boom chafed through, the clamp was missing.|Arm hose leaks at the ferrule.",
        "{person} sent photos, so I knew what to bring.|Nobody on site at first, then {person} came over.",
        "Clamp is ordered.|Technician fits the other one on Thursday.")),
    Story("arm", _TALK, True, "Quick coupler for {machine}", (
        "{person} wants the coupler they have already, no discussion.|Hydraulic coupler for {machine}, {person} asks.",
        "Needs the adapter plate, I am not sure about the width.|Price with fitting, please.",
        "Measure at the next visit.|Offer by the end of the week.")),
    Story("arm", _VISIT, False, "Play in the boom of {machine}", (
        "Measured with {person}: three millimetres, still in tolerance.|Bushes of {machine} are near the end.",
        "Again at the next service.|They will do it in winter, price was given.")),
    Story("arm", _CALL, True, "Breaker on {machine}", (
        "{person} asks which breaker {machine} can carry.|They hire a breaker every second month.",
        "The 300 kg class, with the line it already has.|Did the sums with {person}: bought is cheaper in a year.",
        "Offer with and without the bracket.|Demo could settle it.")),
    Story("bucket", _CALL, False, "Bucket teeth", (
        "{person} needs teeth and pins for {machine}, the whole set.|Teeth for {machine}, the pins are still good.",
        "Sent today, arrives tomorrow before ten.|Put aside at the depot, they fetch it.")),
    Story("bucket", _VISIT, False, "Cutting edge of {machine}", (
        "Worn down to the bolts. Turned it with the driver.|Should have been turned in spring.",
        "{person} takes a new one the next time.|Left the part number.|")),
    Story("telehandler", _VISIT, True, "Overload display of {machine}", (
        "{person} says it warns too early.|Display of {machine} shows something else than the chart.",
        "Calibration is a bulletin anyway. Told them we do both at once.",
        "Date with the workshop.|Bring the test weight.")),
    Story("telehandler", _TALK, False, "Forks and bale grab", (
        "Second pair of forks for {machine}.|{person} looks for a used grab for {machine}.",
        "None in stock, will keep my eyes open.|Told {person} the price, has to think.")),
    Story("roller", _VISIT, False, "Scrapers of {machine}", (
        "Asphalt sticks to the drum, scrapers are worn.|One scraper is bent.",
        "{person} fits them, parts from the counter.|Adjusted it together with the driver.")),
    Story("roller", _CALL, True, "{machine} vibrates by itself", (
        "{person}: it goes on shaking after the lever is back.|It happens with warm oil only, says {person}.",
        "Sounds like the valve. Workshop to look at it.", "Not to be used on the new asphalt until then.|")),
    Story("", _TALK, True, "Thinking of a new machine", (
        "{person} has work until autumn and not enough machines.|They rent too much, {person} did the sums.",
        "The bank is willing, {person} is not yet.|Had the other brand's brochure on the desk, open.",
        "Decision after the holidays. I heard that last year too.|Call again in two weeks, not before.")),
    Story("", _VISIT, True, "Demo asked for", (
        "{person} wants to see it in their own clay.|A day's demo would settle it, says {person}.",
        "Width is the problem: the gate in {town} has 1.90 m.|Noise is the topic, they work beside the school.",
        "Book the demonstrator.|Find a day when the driver is there.")),
    Story("", _MAIL, True, "Offer sent", (
        "Offer to {person} with and without the tiltrotator.|Offer to {person}, three variants.",
        "Ring in a week.|Wants to talk it over with the partner first.")),
    Story("", _CALL, True, "Asked about the offer", (
        "{person} has read it, the price is not the problem.|{person} wants two percent and winter tyres.",
        "Delivery time is. Asked head office.|I said one percent and free delivery.",
        "Answer until Thursday.|Call again.")),
    Story("", _VISIT, False, "Budget for next year", (
        "{person} plans one machine and a trailer.|Nothing next year, says {person}, the hall eats everything.",
        "Wants to hear prices in January.|No pressure, they buy when they buy.")),
    Story("", _CALL, False, "Wrong filter delivered", (
        "We sent the filter for the old engine, my mistake.|{person} got two of the wrong ones.",
        "Exchange is on the way, no charge.|Credit note is with accounts, right ones sent.")),
    Story("", _MAIL, False, "Standing order", (
        "{person} wants one box of grease a month and settles quarterly.|One box of everything in their container.",
        "Entered, starts on the first.|Price as agreed in spring.")),
    Story("", _VISIT, False, "At the parts counter", (
        "Met {person} at the counter, compared our belt with the one from the internet.|{person} fetched an order.",
        "Bought ours.|Praised the counter. Passed it on.")),
    Story("", _CALL, True, "Open invoice", (
        "Invoice from {month} is still open, {person} had never seen it.|Accounts asked me to ring about {month}.",
        "Sent a copy.|Paid this week, says {person}.", "Look whether it came in.")),
    Story("", _VISIT, False, "Just dropped in", (
        "Nothing special, {person} is content.|{person} was on the phone all the time, bad moment.",
        "They got the contract for the bypass near {town}: two years of work.|Yard full, order book as well.|")),
    Story("", _VISIT, False, "New hall", (
        "{person} showed me the new hall, impressive.|Topping-out at the new hall in {town}, we brought the beer.",
        "Room for a workshop pit, we should talk about tools.|Next year a wash bay.")),
    Story("", _VISIT, False, "First visit", (
        "First time I met {person}, good start.|{person} took an hour, I did not expect that.",
        "They know our machines from hiring.|Four machines of another make, two of them old.")),
    Story("", _CALL, False, "Looking for a driver", (
        "The young driver left, {person} looks for another.|{person} needs two drivers from spring.",
        "If we hear of somebody …|Gave them the number of the driving school.")),
    Story("", _VISIT, True, "Open day", (
        "{person} comes with the whole crew.|Invited {person}; the children want to drive the mini.",
        "Put six on the list.|Confirm the number.")),
    Story("", _NOTE, False, "Heard at the trade association", (
        "They bid for the sewer in {town}.|They take over the neighbour's yard in {town}.",
        "Will need something small for it.|Not official yet.")),
    Story("", _NOTE, True, "Ring after the holiday", (
        "{person} is away for two weeks.|Office closed, {person} is in the south.", "Nothing else open.|")),
    Story("", _MAIL, False, "Photos from the site", (
        "{person} sent photos from the site at {town}, may be used for the calendar.|"
        "{person} sent a film of the machine in the stream bed. Better not publish that one.",)),
    Story("", _CALL, True, "Complaint about the invoice", (
        "{person} does not understand the travel costs.|Two hours too many, says {person}.",
        "Explained it, half convinced.|I ask the workshop for the sheet.", "Call back.")),
)  # fmt: skip

_ALTERNATIVE = "|"


def tell(story: Story, chance: random.Random, words: Mapping[str, str]) -> tuple[str, str]:
    """A story's subject and notes; `words` are machine, person, town, hours and month."""
    told = [chance.choice(sentence.split(_ALTERNATIVE)).format(**words) for sentence in story.sentences]
    subject = chance.choice(story.subject.split(_ALTERNATIVE)).format(**words)
    return _capital(subject), " ".join(_capital(sentence) for sentence in told if sentence)


def _capital(sentence: str) -> str:
    """A sentence may begin with "the VX 55"."""
    return ". ".join(part[:1].upper() + part[1:] for part in sentence.split(". "))
