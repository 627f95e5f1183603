"""Temperature: probabilities to the power of 1/T, renormalised. Below 1 the likely gain, above 1 the unlikely."""

from __future__ import annotations

from math import exp, fsum, isfinite, log

from promptkit.algorithms.decoding.distribution import Distribution, T, equal


def heated(distribution: Distribution[T], temperature: float) -> Distribution[T]:
    """The distribution at that temperature; at 0 the likeliest token alone, equal ones in equal shares.

    What is not told cannot be heated: at any temperature but 1 the tokens that are told share the whole mass.
    """
    if not isfinite(temperature) or temperature < 0:
        raise ValueError(f"a temperature is 0 or more, not {temperature:g}")
    if temperature == 1:
        return distribution
    tokens = distribution.tokens
    best = tokens[0][1]
    if temperature == 0:
        first = [token for token, p in tokens if equal(p, best)]
        return Distribution(tuple((token, 1 / len(first)) for token in first))
    weights = [exp((log(p) - log(best)) / temperature) if p > 0 else 0.0 for _, p in tokens]
    mass = fsum(weights)
    return Distribution(tuple((token, weight / mass) for (token, _), weight in zip(tokens, weights, strict=True)))
