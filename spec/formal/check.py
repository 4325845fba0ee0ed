#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Exhaustive check of the rekey rules on a small instance: two parties, FIFO links of capacity Q, ids wrap after W,
epochs up to E. A transition is: a party's limit fires (timer), a party sends one record, a link delivers one record.
Reported: first trace (breadth first, so shortest) for
  REJECT   an honest record falls outside the receiver's window (the connection dies for no reason)
  AMBIG    two epochs inside the window have the same 16-bit id (receiver may pick the wrong key)
and the largest number of chain steps a receiver must make for ONE unauthenticated header (pre-authentication work).
The links lose nothing here: what an attacker may drop is section 14.1 of the protocol.
"proposed" is the rule of SVC-1 (5.3, 5.4); the exit status is 1 if it fails."""
import sys
from collections import deque
Q = 2
def ident(e, W): return (e - 1) % W + 1
def explore(rule, W, E):
    # state: ((send, used, recv, due), (same), link0to1, link1to0)
    start = ((1, 0, 1, 0), (1, 0, 1, 0), (), ())
    seen, todo, work, bad = {start: None}, deque([start]), 0, {}
    def trace(s, last):
        t = [last]
        while seen[s]: s, a = seen[s]; t.append(a)
        return list(reversed(t))
    while todo:
        st = todo.popleft()
        P, L = [list(st[0]), list(st[1])], [st[2], st[3]]
        nxt = []
        for p in (0, 1):
            s, used, r, due = P[p]
            # timer or packet/byte limit
            if rule == "sketch-eager":              # limit moves the epoch at once, even if nothing was sent on it
                if s < E: nxt.append((f"{'AB'[p]} limit -> {s+1}", p, (s+1, 0, r, 0), None))
            else:
                if not due and used: nxt.append((f"{'AB'[p]} limit", p, (s, used, r, 1), None))
            # send one record
            if len(L[p]) < Q:
                s2, used2, due2 = s, used, due
                if rule in ("sketch-eager", "sketch-lazy"):
                    if r > s2: s2, used2, due2 = r, 0, 0        # adopt the peer's epoch
                    elif due2 and used2: s2, used2, due2 = s2 + 1, 0, 0
                else:                                           # proposed: at most one step per record
                    if used2 and (due2 or r > s2): s2, used2, due2 = s2 + 1, 0, 0
                    elif not used2 and r > s2 and rule == "proposed-nouse": s2, used2, due2 = s2 + 1, 0, 0
                if s2 <= E: nxt.append((f"{'AB'[p]} sends in epoch {s2}", p, (s2, 1, r, due2), ("push", s2)))
            # receive one record from the other side
            if L[1 - p]:
                e = L[1 - p][0]
                hi = (max(r, s) + 1) if rule.startswith("sketch") else r + 1
                win = list(range(r, hi + 1))
                work = max(work, hi - r)
                same = [w for w in win if ident(w, W) == ident(e, W)]
                act = f"{'AB'[p]} (send {s}, recv {r}) receives epoch {e}, window {r}..{hi}"
                if e not in win: bad.setdefault("REJECT", trace(st, act)); continue
                if len(same) > 1: bad.setdefault("AMBIG", trace(st, act + f", id {ident(e,W)} = epochs {same}"))
                nxt.append((act, p, (s, used, e, due), ("pop",)))
        for a, p, ns, op in nxt:
            N = [tuple(P[0]), tuple(P[1])]; N[p] = ns
            M = list(L)
            if op and op[0] == "push": M[p] = M[p] + (op[1],)
            if op and op[0] == "pop": M[1 - p] = M[1 - p][1:]
            n = (N[0], N[1], M[0], M[1])
            if n not in seen: seen[n] = (st, a); todo.append(n)
    return len(seen), work, bad
for rule in ("sketch-eager", "sketch-lazy", "proposed"):
    n, work, bad = explore(rule, W=4, E=9)
    print(f"== {rule}: {n} states, largest pre-authentication catch-up {work} chain steps (grows with the epoch bound)" if work > 1
          else f"== {rule}: {n} states, largest pre-authentication catch-up {work} chain step")
    if rule == "proposed" and (bad or work != 1): sys.exit("the rule of SVC-1 fails")
    if not bad: print("   no honest record rejected, no ambiguous id")
    for k, t in bad.items():
        print("  ", k)
        for a in t: print("      ", a)
