"""A compiled graph with feeds bound to it: runs without looking at them again."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from threading import get_ident
from typing import Any

from unroll.dtypes import Array
from unroll.export.running.session_binding import Bound


class CBound(Bound):
    """A compiled graph with feeds bound to it; see `unroll.export.running.session_binding.Bound`."""

    _session: Any

    def _bind(self) -> None:
        self._runner = self._session._session
        compiled = self._session.compiled(self._inputs)
        self._context = compiled.context()
        self._compiled, self._call = compiled, compiled.call
        self._addresses = compiled.addresses(self._context, self._inputs, self._outputs)
        self._place = ctypes.addressof(self._addresses)

    def run(self) -> Mapping[str, Array]:
        """Compute `outputs` from `inputs` as they are now, and return them: the same arrays in every run.

        Raises:
            UnsupportedError: another thread uses this Bound.
        """
        if get_ident() != self._user:
            self._claim()
        session = self._session
        for parameter, version in session._versions:  # written out: a small network takes no longer than a call
            if parameter.version != version:
                session._warn_if_stale()
                break
        if self._runner is not session._session:
            self._bind()
        self._call(self._place)
        return self._outputs
