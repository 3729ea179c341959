"""What the levels of agreement are called for people: each in Chinese and English, and which of them others decide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Words(NamedTuple):
    """One thing in two languages."""

    zh: str
    en: str


COMPARISONS: Mapping[str, Words] = {
    "base": Words("起点：尚未比较", "start: nothing compared yet"),
    "name": Words("姓名", "name"),
    "birth": Words("出生日期", "date of birth"),
    "sex": Words("性别", "sex"),
    "phone": Words("电话", "phone"),
    "home": Words("住址", "home"),
    "beside": Words("同行所列的住址", "home of those named beside"),
    "registered": Words("户籍地址", "registered address"),
    "id": Words("证件号码", "document number"),
    "household": Words("户", "household book"),
    "ethnicity": Words("民族", "ethnicity"),
    "relation": Words("与户主关系", "relation to the head"),
    "feed": Words("来源", "feed"),
}
LEVEL_WORDS: Mapping[str, Mapping[str, Words]] = {
    "name": {
        "same, unique": Words("相同，独一无二", "the same, and nobody else bears it"),
        "same, rare": Words("相同，少见", "the same, and rare"),
        "same, uncommon": Words("相同，不常见", "the same, and uncommon"),
        "same, common": Words("相同，常见", "the same, and common"),
        "same, very common": Words("相同，很常见", "the same, and very common"),
        "former name": Words("一方是另一方的曾用名", "one is the other's former name"),
        "fits wildcards": Words("除缺字外相符", "fits where characters are missing"),
        "same sound": Words("同音", "sounds the same"),
        "misspelt": Words("疑为错字或字序颠倒", "a typist's slip: look-alikes or swapped characters"),
        "one character off": Words("差一个字", "one character off"),
        "fits short form": Words("与简称相符", "fits a short form"),
        "same given name": Words("名相同，姓不同", "the same given name, another surname"),
        "same surname": Words("姓相同，名不同", "the same surname, another given name"),
        "different": Words("不同", "different"),
        "not given": Words("一方没有姓名", "one side gives none"),
    },
    "birth": {
        "same": Words("相同", "the same"),
        "fits as far as known": Words("已知部分相符", "fits as far as known"),
        "one digit or swap": Words("差一位，或日月颠倒", "one digit off, or day and month swapped"),
        "same year": Words("同年", "the same year"),
        "within three years": Words("相差三年以内", "within three years"),
        "different": Words("不同", "different: never one person"),
    },
    "sex": {"same": Words("相同", "the same"), "different": Words("不同", "different")},
    "phone": {
        "same, one person's": Words("相同，只有一人使用", "the same, one person's"),
        "same, a family's": Words("相同，一家人使用", "the same, a family's"),
        "same, shared, one name": Words("相同，多人使用，姓名相同", "the same, shared by many, with one name"),
        "same, shared": Words("相同，多人使用", "the same, shared by many"),
        "fits mask": Words("与掩码相符", "fits where digits are masked"),
        "one digit off": Words("差一位", "one digit off"),
        "different": Words("不同", "different"),
    },
    "home": {
        "one dwelling": Words("同一住房", "one dwelling"),
        "one room, unit open": Words("同一室号，单元不明", "one room, its unit not known"),
        "one building, dwelling open": Words("同一楼栋，室号不明", "one building, the dwelling not known"),
        "one building": Words("同一楼栋", "one building"),
        "one estate": Words("同一小区", "one estate"),
        "one community": Words("同一社区", "one community"),
        "elsewhere": Words("别处", "elsewhere"),
    },
    "beside": {
        "one dwelling": Words("同一住房", "one dwelling"),
        "one building": Words("同一楼栋", "one building"),
        "one estate": Words("同一小区", "one estate"),
        "elsewhere": Words("别处", "elsewhere"),
    },
    "registered": {
        "one dwelling": Words("同一住房", "one dwelling"),
        "lives where the other is registered": Words(
            "一方住在另一方的户籍地址", "one lives where the other is registered"
        ),
        "elsewhere": Words("别处", "elsewhere"),
    },
    "id": {
        "fits, most digits": Words("残缺号码与多数位相符", "a damaged number fits in most digits"),
        "fits, last digits": Words("残缺号码与末几位相符", "a damaged number fits in the last digits"),
        "fits, some digits": Words("残缺号码与部分位相符", "a damaged number fits in some digits"),
        "one edit": Words("差一处", "one edit apart"),
        "same, not surely its own": Words("相同，但未必是本人的", "the same, but not surely its own"),
        "same, borrowed": Words("相同，但属借用", "the same, but borrowed: never one person"),
        "does not fit": Words("残缺号码不相符", "a damaged number does not fit"),
        "another, one not surely its own": Words(
            "不同，其中一个未必是本人的", "another, and one of them not surely its own"
        ),
    },
    "household": {
        "head's own number": Words("一方是户主本人的号码", "the head's number, and the head's own row"),
        "one book, one role": Words("同户，同一关系", "one book and one role"),
        "one book": Words("同户", "one book"),
        "head of the other": Words("一方是另一方的户主", "one is the head of the other: never one person"),
        "another book": Words("不同户", "another book"),
    },
    "ethnicity": {
        "same minority": Words("同一少数民族", "the same minority"),
        "both Han": Words("均为汉族", "both Han"),
        "different": Words("不同", "different"),
    },
    "relation": {
        "one role": Words("同一关系", "one role"),
        "head and dependant": Words("一方是户主，另一方不是", "one is a head, the other is not"),
        "another role": Words("不同关系", "another role"),
    },
    "feed": {
        "one feed that repeats nobody": Words("同一来源，该来源不重复登记", "one feed, which lists nobody twice"),
        "one feed": Words("同一来源", "one feed"),
        "one feed that repeats many": Words("同一来源，该来源常重复登记", "one feed, which lists many more than once"),
        "two feeds": Words("两个来源", "two feeds"),
    },
}
FROM_OTHERS: Mapping[str, Words] = {
    "name": Words("多少人同名，取自全部记录", "how many bear the name is counted over all records"),
    "phone": Words("多少人共用，取自全部记录", "how many share the phone is counted over all records"),
    "home": Words("地址的含义参考了其他记录", "what the address means was learned from other records too"),
    "beside": Words("取自同一行所列的另一人", "taken from the person of whose row this one is part"),
    "registered": Words("地址的含义参考了其他记录", "what the address means was learned from other records too"),
    "id": Words("号码是否属本人，参考了同号的其他记录", "whose a number is, is judged with all records that bear it"),
    "feed": Words(
        "该来源是否重复登记，取自全部记录", "whether the feed lists people twice is counted over all its rows"
    ),
}
ALONE: Mapping[str, frozenset[str]] = {  # levels of those comparisons that the two records decide by themselves
    "name": frozenset(
        {"former name", "fits wildcards", "same sound", "misspelt", "one character off", "fits short form", "same given name",
         "same surname", "different", "not given"}),
    "phone": frozenset({"fits mask", "one digit off", "different"}),
    "id": frozenset({"fits, most digits", "fits, last digits", "fits, some digits", "one edit", "does not fit"}),
    "feed": frozenset({"two feeds"}),
}  # fmt: skip
