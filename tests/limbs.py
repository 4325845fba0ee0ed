#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The bounds of crypto/fe25519_29.h and crypto/fe25519_13.h, computed: every step of a product, of scale() and of the sums and differences in
crypto/fe25519_narrow.c is followed here in intervals of exact integers, column by column. It fails if a number could leave its type, or a result its
class. (tests/test_bounds.c follows the curve's formulas from class to class.) Usage: python3 tests/limbs.py"""


class Interval:
    def __init__(self, low, high):
        self.low, self.high = low, high

    def __add__(self, other):
        other = other if isinstance(other, Interval) else Interval(other, other)
        return Interval(self.low + other.low, self.high + other.high)

    def __sub__(self, other):
        return Interval(self.low - other.high, self.high - other.low)

    def __mul__(self, other):
        other = other if isinstance(other, Interval) else Interval(other, other)
        ends = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return Interval(min(ends), max(ends))

    def __rshift__(self, n):
        return Interval(self.low >> n, self.high >> n)

    def size(self):
        return max(-self.low, self.high)


ZERO = Interval(0, 0)


class Field:
    """limbs of `bits`; columns have `column` bits with their sign; slack: of a tight limb; wide: in tight ones"""

    def __init__(self, bits, limbs, column, slack, wide, carries):
        self.bits, self.limbs, self.column, self.carries = bits, limbs, column, carries
        self.half, self.fold = 1 << (bits - 1), 19 << (bits * limbs - 255)
        self.tight, self.wrong, self.largest = self.half + slack, [], 0
        self.wide = wide * self.tight

    def must(self, what, interval, bits):
        """fits a signed type of so many bits"""
        if interval.low < -(1 << (bits - 1)) or interval.high >= 1 << (bits - 1):
            self.wrong.append("%d bits: %s needs [%d, %d]" % (self.bits, what, interval.low, interval.high))
        return interval

    def col(self, what, interval):
        self.largest = max(self.largest, interval.size())
        return self.must(what, interval, self.column)

    def below(self, what, limbs, bound):
        for i, x in enumerate(limbs):
            if x.size() > bound:
                self.wrong.append("%d bits: limb %d of %s is %d, more than %d" % (self.bits, i, what, x.size(), bound))

    def low(self):
        return Interval(-self.half, self.half - 1)

    def carry(self, c):
        return self.col("a rounded column", c + self.half) >> self.bits

    def last_carry(self, h, c, what):
        c = self.col("the last carry of " + what, c * self.fold)
        for i in range(self.carries):
            c = self.col("the last carry of " + what, c + h[i])
            h[i], c = self.low(), self.carry(c)
        h[self.carries] = self.must("the last limb", h[self.carries] + c, 32)
        self.below(what, h, self.tight)
        return h

    def scale(self, f, n, what):
        c, h = ZERO, []
        for x in f:
            c = self.carry(self.col(what, c + self.must(what, x * n, self.column)))
            h.append(self.low())
        return self.last_carry(h, c, what)

    def columns(self, f, g):
        return [sum((f[i] * g[k - i] for i in range(max(0, k - self.limbs + 1), min(k, self.limbs - 1) + 1)), ZERO)
                for k in range(2 * self.limbs - 1)]

    def fold_low(self, columns, high, what):
        """columns 0 to limbs - 1 with what is folded into them"""
        c, h = ZERO, []
        for k in range(self.limbs):
            c = self.carry(self.col(what, c + self.must(what, high[k] * self.fold, self.column) + columns[k]))
            h.append(self.low())
        return self.last_carry(h, c, what)

    def product(self, f, g, what, floor):
        """the upper columns first; floor: their carries are rounded down, so that what stays has no sign"""
        all_columns, c, high = self.columns(f, g), ZERO, []
        for k in range(self.limbs, 2 * self.limbs - 1):
            c = self.col(what, c + all_columns[k])
            high.append(Interval(0, 2 * self.half - 1) if floor else self.low())
            c = c >> self.bits if floor else self.carry(c)
        high.append(self.must(what + ": the highest column", c, 32))
        return self.fold_low(all_columns, high, what)


def of_size(bound, n):
    return [Interval(-bound, bound) for _ in range(n)]


def canonical(f):
    """carry_up() and fe_to_bytes(): the sums there fit, and the part above 2^255 is what the text says"""
    top, n = 255 - f.bits * (f.limbs - 1), f.fold // 19
    t = of_size(f.tight, f.limbs)
    t[-1] = t[-1] + (1 << f.bits)
    value = sum((x * (1 << f.bits * i) for i, x in enumerate(t)), ZERO) + -f.fold
    if value.low < 0:
        f.wrong.append("%d bits: f + %d p may be below 0" % (f.bits, n))
    c = value >> 255
    c = (Interval(0, 2**255 - 1) + c * 19) >> 255
    if c.low < 0 or c.high > 1:
        f.wrong.append("%d bits: carried twice, [%d, %d] are left above 2^255" % (f.bits, c.low, c.high))
    c = Interval(-f.fold, 19 * 128)
    for x in t[:-1]:
        c = f.must("carry_up", c + x, 32) >> f.bits
    f.must("carry_up", c + t[-1], 32)
    if top <= 0:
        f.wrong.append("no last limb")


def check(f):
    tight, loose, wide = (of_size(b, f.limbs) for b in (f.tight, 2 * f.tight, f.wide))
    for x in loose + wide:
        f.must("a limb", x * 2, 32)
    f.product(wide, wide, "f g", f.bits == 29)
    f.scale(loose, 121665, "121665 f")
    words = [Interval(0, 2 * f.half - 1)] * f.limbs
    f.below("fe_from_words", words, 2 * f.tight)
    f.scale(words, 1, "fe_from_bytes")
    f.scale([a - b for a, b in zip(loose, loose)], 1, "fe_sub2")
    sums = [a + b for a, b in zip(loose, tight)]
    if f.bits == 13:
        sums = f.scale(sums, 1, "fe_add2")
    f.below("fe_add2", sums, f.wide)
    f.below("fe_add", [a + b for a, b in zip(tight, tight)], 2 * f.tight)
    canonical(f)
    return f.wrong


def forms():
    return Field(29, 9, 64, 1 << 16, 3, 1), Field(13, 20, 32, 4, 2, 2)


def small(bits, k=8, factors=(1, -1, 2, -2, 14, 8111, 38)):
    """crypto/curve25519_small.c: any numbers of 256 bits, in words of `bits`; a sum has a sign and 2 * bits"""
    wrong, word, any256, largest = [], Interval(0, 2**bits - 1), Interval(0, 2**256 - 1), 0

    def add_times(m, c, f=any256, g=any256):
        nonlocal largest
        c = Interval(c, c) if isinstance(c, int) else c
        total = f + g * m + c
        for i in range(256 // bits):
            c = word + word * m + c
            largest = max(largest, c.size())
            if c.low < -(1 << (2 * bits - 1)) or c.high >= 1 << (2 * bits - 1):
                wrong.append("words of %d bits: a sum for %s needs [%d, %d]" % (bits, m, c.low, c.high))
            c = c >> bits
        if c.size() >= 1 << 24:
            wrong.append("words of %d bits: a carry of %d for %s" % (bits, c.size(), m))
        return total

    def finish(total, add, bound, what):
        c = (total >> 255) + add
        result = Interval(0, 2**255 - 1) + c * 19
        if c.low < 0 and add > 0 or result.high > bound or 19 * c.size() >= 1 << 24:
            wrong.append("words of %d bits: %s: [%d, %d] times 19" % (bits, what, c.low, c.high))

    for m in factors:
        finish(add_times(m, -19 * k), k, 2**255 + 2**20 - 1, "f + %d g" % m)
    # FREEZE: x + 19 is below 2^256, so that the part above 2^255 is 0 or 1
    if (Interval(0, 2**255 + 2**20 - 1) + 19 >> 255).high > 1:
        wrong.append("what is to be made canonical is 2 p or more")
    # accumulate(): r < L, b < 2^255, a byte m; q L taken off, and then L more if that is below 0
    order, e = 2**252 + 27742317777372353535851937790883648493, 27742317777372353535851937790883648493
    x = add_times(255, 0) and Interval(0, order - 1) * 256 + Interval(0, 255) * Interval(0, 2**255 - 1)
    add_times(Interval(0, 255), 0)
    q = x >> 252
    add_times(q * -1, 0)
    if q.size() >= 1 << 14 or q.high * e >= order:
        wrong.append("words of %d bits: q = %d" % (bits, q.high))
    return wrong, largest


def main():
    bad = 0
    for bits in (32, 16):
        wrong, largest = small(bits)
        bad += len(wrong)
        for line in wrong[:5]:
            print("FAIL limbs: " + line)
        if not wrong:
            print("pass small builds, words of %d bits: the largest sum is 2^%.2f, of %d bits" % (bits, __import__("math").log2(largest), 2 * bits))
        for name, change in {"a larger factor": dict(factors=(1 << 15,)), "a smaller K": dict(k=4)}.items():
            if not small(bits, **change)[0]:
                print("FAIL limbs: small builds, words of %d bits: %s is not noticed" % (bits, name))
                bad += 1
    for f in forms():
        wrong = check(f)
        bad += len(wrong)
        for line in wrong[:5]:
            print("FAIL limbs: " + line)
        if not wrong:
            print("pass limbs of %d bits: the largest column is 2^%.2f, of %d bits" % (f.bits, __import__("math").log2(f.largest), f.column))
    # A check that cannot fail says nothing.
    planted = {"wider limbs": dict(wide=5), "one carry less": dict(carries=0), "no slack": dict(slack=0)}
    for name, change in planted.items():
        for f in forms():
            g = Field(**{**dict(bits=f.bits, limbs=f.limbs, column=f.column, slack=f.tight - f.half, wide=f.wide // f.tight, carries=f.carries), **change})
            if not check(g):
                print("FAIL limbs of %d bits: %s is not noticed" % (f.bits, name))
                bad += 1
    print("pass limbs: wider limbs, a carry that is left out, too small a bound are noticed" if not bad else "")
    return bad != 0


raise SystemExit(main())
