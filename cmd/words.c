/* SPDX-License-Identifier: ISC */
#include "words.h"

#include "crypto.h"

#include <string.h>

/*
 * Part of the interface, so it never changes. In order; the first four letters tell a word from every other one; any
 * two differ in at least two letters; none sounds like another.
 */
static const char list[][8] = {
    "accept",  "account", "acorn",   "acrobat", "action",  "actor",   "actual",  "address", "adjust",  "admiral",
    "adult",   "advance", "advice",  "afraid",  "after",   "again",   "agency",  "agree",   "ahead",   "airport",
    "alarm",   "album",   "alert",   "algebra", "alien",   "alike",   "alley",   "almond",  "always",  "amber",
    "amount",  "amuse",   "anchor",  "ancient", "angle",   "animal",  "another", "answer",  "antenna", "antique",
    "anvil",   "apple",   "april",   "apron",   "arcade",  "area",    "argue",   "armor",   "aroma",   "arrive",
    "artist",  "ashtray", "asleep",  "aspect",  "assist",  "atlas",   "atom",    "attach",  "attend",  "attic",
    "author",  "average", "avocado", "avoid",   "award",   "axis",    "baby",    "badger",  "bagel",   "bakery",
    "balance", "balcony", "ballot",  "bamboo",  "banana",  "bandage", "banjo",   "banner",  "barber",  "bargain",
    "barley",  "barn",    "basic",   "bathtub", "battery", "bazaar",  "beard",   "beauty",  "bedroom", "beetle",
    "before",  "begin",   "behave",  "belief",  "belong",  "belt",    "bench",   "bicycle", "bigger",  "billion",
    "bingo",   "biology", "biplane", "birch",   "biscuit", "blade",   "blanket", "blast",   "block",   "bloom",
    "blossom", "bonfire", "bonus",   "book",    "border",  "borrow",  "bounce",  "bowl",    "boxing",  "bracket",
    "branch",  "brave",   "breeze",  "brick",   "bridge",  "bright",  "bring",   "broken",  "bronze",  "brother",
    "brown",   "brush",   "bubble",  "bucket",  "budget",  "buffet",  "bugle",   "builder", "bulb",    "bumper",
    "bundle",  "bunker",  "burger",  "burst",   "butler",  "button",  "buyer",   "cabbage", "cabin",   "cactus",
    "calm",    "camera",  "campus",  "canal",   "cancel",  "candle",  "canoe",   "canyon",  "capital", "captain",
    "caramel", "carbon",  "career",  "cargo",   "carpet",  "cashew",  "casino",  "castle",  "catalog", "cave",
    "cedar",   "celery",  "cement",  "century", "chain",   "change",  "chapter", "chart",   "chase",   "cheer",
    "cherry",  "chicken", "child",   "chimney", "chop",    "chorus",  "chrome",  "churn",   "cinema",  "circle",
    "citizen", "city",    "civil",   "claim",   "clamp",   "claw",    "clerk",   "clever",  "cliff",   "clinic",
    "cloak",   "closet",  "cloth",   "cluster", "coach",   "cobra",   "coconut", "coffee",  "collar",  "colt",
    "column",  "combine", "comedy",  "comic",   "concert", "connect", "contest", "convoy",  "cookie",  "copper",
    "copy",    "coral",   "corner",  "cosmos",  "cotton",  "country", "couple",  "cousin",  "cowbell", "cradle",
    "craft",   "crane",   "crater",  "credit",  "crew",    "cricket", "cross",   "crowd",   "crunch",  "crystal",
    "cup",     "curious", "curve",   "cushion", "custom",  "cycle",   "daisy",   "dancer",  "daring",  "dark",
    "dazzle",  "decide",  "delay",   "denim",   "dense",   "dentist", "depart",  "deputy",  "design",  "desk",
    "detect",  "device",  "diagram", "diamond", "diary",   "diesel",  "diet",    "digital", "dinner",  "diploma",
    "direct",  "ditch",   "doctor",  "doll",    "dolphin", "donut",   "door",    "double",  "dove",    "dozen",
    "dragon",  "drawing", "dress",   "drift",   "drill",   "drive",   "duck",    "dynamic", "eager",   "eagle",
    "early",   "earth",   "easy",    "ebony",   "echo",    "economy", "educate", "effect",  "egg",     "elastic",
    "elbow",   "elder",   "elegant", "eleven",  "elite",   "elk",     "emblem",  "emerald", "employ",  "encore",
    "end",     "energy",  "engine",  "enjoy",   "enough",  "enrich",  "episode", "equal",   "equip",   "error",
    "escape",  "estate",  "evening", "exact",   "example", "exotic",  "expand",  "expect",  "export",  "extra",
    "eyebrow", "fable",   "fabric",  "factory", "falcon",  "family",  "famous",  "fantasy", "farmer",  "fashion",
    "feather", "feed",    "fence",   "fern",    "fetch",   "fiction", "field",   "fifty",   "figure",  "film",
    "final",   "finger",  "finish",  "fire",    "first",   "fish",    "flag",    "flash",   "fleet",   "flip",
    "florist", "flying",  "focus",   "folder",  "folk",    "footman", "forest",  "formal",  "fortune", "fox",
    "fragile", "frame",   "freedom", "fresh",   "friend",  "frog",    "frost",   "frozen",  "fruit",   "fuel",
    "funny",   "furnace", "future",  "gadget",  "galaxy",  "gallop",  "garage",  "garden",  "garlic",  "garment",
    "gather",  "gem",     "general", "gentle",  "geology", "giant",   "gift",    "giraffe", "give",    "glacier",
    "glad",    "glance",  "glass",   "globe",   "glory",   "goal",    "goblet",  "golden",  "goose",   "gossip",
    "grammar", "grape",   "gravity", "grocery", "ground",  "grove",   "guard",   "guide",   "guitar",  "habit",
    "half",    "hammer",  "hamster", "handbag", "happy",   "harmony", "harp",    "harvest", "haven",   "hawk",
    "health",  "heap",    "heavy",   "hedge",   "height",  "hello",   "helmet",  "helper",  "hidden",  "hiking",
    "hilltop", "hinge",   "history", "hockey",  "holiday", "home",    "honest",  "horizon", "horn",    "host",
    "hotel",   "hover",   "human",   "hundred", "hungry",  "hunter",  "hurdle",  "hurry",   "husband", "hybrid",
    "iceberg", "icicle",  "idea",    "igloo",   "image",   "import",  "improve", "index",   "input",   "insect",
    "inside",  "integer", "invest",  "iris",    "iron",    "island",  "ivory",   "jacket",  "jaguar",  "january",
    "jar",     "jasmine", "jazz",    "jelly",   "jester",  "jet",     "jigsaw",  "joke",    "journey", "joyful",
    "juggle",  "jumbo",   "jump",    "junior",  "karate",  "kayak",   "kettle",  "kilo",    "kimono",  "kind",
    "kitchen", "kiwi",    "label",   "lace",    "ladder",  "lagoon",  "land",    "lantern", "laptop",  "large",
    "laundry", "lava",    "layer",   "learn",   "lecture", "legend",  "leisure", "lemon",   "length",  "leopard",
    "level",   "liberty", "library", "lily",    "limit",   "lion",    "liquid",  "list",    "little",  "lizard",
    "loaf",    "lobster", "local",   "lodge",   "log",     "loop",    "lottery", "lotus",   "lounge",  "lucky",
    "luggage", "lunar",   "lunch",   "lung",    "luxury",  "lyrics",  "machine", "magic",   "magma",   "magnet",
    "mailbox", "major",   "maker",   "manager", "mango",   "mansion", "manual",  "maple",   "marble",  "march",
    "margin",  "marina",  "market",  "mascot",  "matrix",  "meadow",  "measure", "melody",  "memory",  "mermaid",
    "message", "method",  "metro",   "mill",    "mineral", "mint",    "miracle", "mirror",  "mixer",   "mixture",
    "mobile",  "model",   "modify",  "moment",  "monday",  "money",   "monitor", "monster", "month",   "mop",
    "mother",  "mouse",   "movie",   "muffin",  "museum",  "music",   "mystery", "myth",    "napkin",  "narrow",
    "nation",  "nature",  "neck",    "nectar",  "needle",  "nerve",   "nest",    "network", "neutral", "nickel",
    "north",   "notable", "notepad", "notice",  "novel",   "now",     "nuclear", "number",  "nurse",   "nutmeg",
    "nylon",   "oasis",   "oatmeal", "object",  "ocean",   "october", "office",  "oil",     "old",     "olive",
    "olympic", "omelet",  "onion",   "online",  "opal",    "open",    "opera",   "opinion", "optical", "orange",
    "orbit",   "orchid",  "organ",   "origin",  "ostrich", "outdoor", "output",  "outside", "owner",   "oxygen",
    "oyster",  "pacific", "package", "pad",     "page",    "palace",  "panel",   "panic",   "pantry",  "paper",
    "parade",  "parcel",  "parent",  "party",   "pass",    "pasta",   "path",    "patient", "patrol",  "pattern",
    "payment", "peach",   "peanut",  "pelican", "pencil",  "percent", "perfect", "permit",  "person",  "petal",
    "phone",   "photo",   "phrase",  "physics", "piano",   "picnic",  "picture", "pilgrim", "pink",    "pipe",
    "pizza",   "planet",  "play",    "please",  "plural",  "poem",    "poetry",  "polar",   "pond",    "popcorn",
    "popular", "postage", "potato",  "powder",  "prairie", "present", "pretty",  "print",   "problem", "project",
    "public",  "pudding", "pumpkin", "pupil",   "puppet",  "purple",  "push",    "puzzle",  "pyramid", "python",
    "quality", "quantum", "quarry",  "queen",   "raccoon", "radar",   "radish",  "raid",    "railway", "ramp",
    "random",  "rattle",  "razor",   "ready",   "reason",  "recipe",  "record",  "recycle", "reef",    "region",
    "regular", "report",  "rescue",  "rhythm",  "ribbon",  "rich",    "ripple",  "rise",    "river",   "roar",
    "roast",   "robot",   "robust",  "rocket",  "romance", "rooftop", "room",    "royal",   "rubber",  "rugby",
    "ruler",   "runway",  "rural",   "saddle",  "safari",  "safe",    "saga",    "sailor",  "salad",   "salon",
    "salt",    "sample",  "sandal",  "sardine", "saturn",  "sauna",   "sausage", "sawmill", "scale",   "scan",
    "science", "scooter", "score",   "screen",  "script",  "scrub",   "seal",    "search",  "second",  "secret",
    "section", "senator", "senior",  "series",  "service", "session", "seven",   "shadow",  "shake",   "shampoo",
    "shark",   "shawl",   "sheep",   "shelf",   "sheriff", "shield",  "shine",   "shiver",  "shovel",  "show",
    "shrimp",  "shuffle", "shuttle", "signal",  "silent",  "silicon", "silk",    "silver",  "siren",   "sister",
    "sixty",   "skate",   "sketch",  "skip",    "skirt",   "sky",     "sled",    "sleeve",  "slice",   "slim",
    "slogan",  "slope",   "small",   "snack",   "snowman", "soap",    "soccer",  "social",  "sock",    "sofa",
    "soldier", "sound",   "south",   "space",   "spell",   "sphere",  "spider",  "spike",   "spirit",  "split",
    "sponsor", "spoon",   "sport",   "spray",   "spread",  "spring",  "spruce",  "squash",  "stable",  "stadium",
    "staff",   "stage",   "stamp",   "steer",   "stereo",  "stew",    "stick",   "stitch",  "stomach", "stone",
    "stop",    "storm",   "straw",   "stream",  "strike",  "strong",  "student", "stumble", "subway",  "sugar",
    "sunrise", "sunset",  "supply",  "sure",    "survey",  "swallow", "swing",   "syrup",   "system",  "tadpole",
    "talent",  "tape",    "target",  "tariff",  "taste",   "taxi",    "teacher", "teapot",  "tender",  "tennis",
    "text",    "theme",   "theory",  "think",   "thirty",  "thought", "thread",  "thrive",  "thumb",   "thunder",
    "ticket",  "tie",     "tiger",   "timber",  "tiny",    "today",   "toddler", "token",   "tomato",  "tongue",
    "toolbox", "tooth",   "topic",   "tornado", "total",   "tourist", "town",    "track",   "trade",   "traffic",
    "trap",    "travel",  "tree",    "trigger", "triumph", "trophy",  "trouble", "trumpet", "truth",   "tuesday",
    "tugboat", "tulip",   "tundra",  "tunnel",  "turbine", "turkey",  "turtle",  "tutor",   "twelve",  "twenty",
    "twice",   "uniform", "unique",  "unit",    "until",   "uranium", "urban",   "urgent",  "useful",  "usual",
    "utility", "vector",  "vehicle", "velvet",  "vendor",  "verify",  "veteran", "view",    "village", "vinegar",
    "vintage", "virtual", "visa",    "visible", "visual",  "vitamin", "voice",   "volcano", "volume",  "voyage",
    "waffle",  "wagon",   "walk",    "wallet",  "walnut",  "walrus",  "warm",    "warrior", "watch",   "water",
    "web",     "wedding", "weekend", "welcome", "wheat",   "whisper", "width",   "wife",    "wig",     "wild",
    "willow",  "window",  "winter",  "wisdom",  "witness", "wolf",    "wooden",  "wool",    "work",    "yacht",
    "yak",     "yard",    "yawn",    "year",    "yes",     "yogurt",  "yoyo",    "zebra",   "zero",    "zigzag",
    "zipper",  "zodiac",  "zone",    "zoo"};
_Static_assert(sizeof list == 1024 * sizeof list[0], "a word has 10 bits");

void fingerprint_bits(uint8_t bits[FINGERPRINT_BITS], const uint8_t *identity, size_t len) {
    static const char label[] = "SVC1 fingerprint"; /* its zero byte belongs to it */
    uint8_t hash[32];
    svconn_sha256_ctx c;
    svconn_sha256_init(&c);
    svconn_sha256_update(&c, (const uint8_t *)label, sizeof label);
    svconn_sha256_update(&c, identity, len);
    svconn_sha256_final(&c, hash);
    memcpy(bits, hash, FINGERPRINT_BITS);
}

void words_of(char out[WORDS_TEXT], const uint8_t bits[FINGERPRINT_BITS]) {
    for (unsigned at = 0; at < 10 * WORDS; at += 10) {
        unsigned pair =
            (unsigned)bits[at / 8] << 8 | bits[at / 8 + 1]; /* the place is even, so two bytes hold all 10 */
        const char *word = list[pair >> (6 - at % 8) & 1023u];
        size_t len = strlen(word);
        memcpy(out, word, len);
        out[len] = ' ';
        out += len + 1;
    }
    out[-1] = 0;
}
