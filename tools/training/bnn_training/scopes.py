"""NNCF's addresses of layers, and which layers a list of scopes names.

An address is the path of class and attribute names through the module tree, and the operator:

    ResNet/Sequential[layer2]/BasicBlock[0]/Sequential[downsample]/NNCFConv2d[0]/conv2d_0

A scope names a layer exactly, or, when it begins with {re}, by a regular expression that is searched in the address. The
older addresses, without "NNCF" before class names, mean the same; so does one without the operator, and that of a
module above the layer names all layers below it, as in NNCF's own documentation.
"""

import difflib
import re

from torch import nn

_OPERATORS = (
    (nn.Conv1d, "conv1d"),
    (nn.Conv2d, "conv2d"),
    (nn.Conv3d, "conv3d"),
    (nn.ConvTranspose2d, "conv_transpose2d"),
    (nn.Linear, "linear"),
)
_OPERATOR_SEGMENT = re.compile(r"[A-Za-z_]\w*_\d+$")


class ScopeError(ValueError):
    """A scope names nothing or is no regular expression."""


def module_addresses(model):
    """{name as of named_modules(): address without operator}, for all modules, in their order."""
    addresses = {"": type(model).__name__}
    for name, module in model.named_modules():
        if name:
            parent, _, leaf = name.rpartition(".")
            prefix = "NNCF" if operator_of(module) else ""
            addresses[name] = f"{addresses[parent]}/{prefix}{type(module).__name__}[{leaf}]"
    return addresses


def operator_of(module):
    """\"conv2d\" for an nn.Conv2d and so on; "" for modules that are no layers."""
    return next((name for kind, name in _OPERATORS if isinstance(module, kind)), "")


def _without_prefix(address):
    return re.sub(r"(^|/)NNCF(?=\w+\[)", r"\1", address)


class ScopeMatcher:
    """The modules that each scope names. All scopes are checked against the whole model before any is used."""

    def __init__(self, model, validate=True):
        """`validate`: a scope that names nothing is an error."""
        self._validate = validate
        self._addresses = module_addresses(model)
        self._operators = {name: operator_of(module) for name, module in model.named_modules()}
        self._leaves = [name for name, module in model.named_modules() if not list(module.children())]

    def address(self, name):
        """The full address of the module of this name."""
        operator = self._operators[name]
        return f"{self._addresses[name]}/{operator}_0" if operator else self._addresses[name]

    def matching(self, scopes, key):
        """Names of the modules that these scopes name. `key` is for messages. ScopeError where one names nothing."""
        matched = set()
        for scope in scopes:
            found = self._matching_regex(scope, key) if "{re}" in scope else self._matching_exact(scope)
            if not found and self._validate:
                raise ScopeError(f"'{key}': \"{scope}\" matches nothing; nearest: {', '.join(self._nearest(scope))}")
            matched |= found
        return matched

    def _matching_regex(self, scope, key):
        try:
            pattern = re.compile(scope.replace("{re}", ""))
        except re.error as error:
            raise ScopeError(f"'{key}': \"{scope}\" is no regular expression: {error}") from error
        matched = set()
        for name in self._leaves:
            address = self.address(name)
            if pattern.search(address) or pattern.search(_without_prefix(address)):
                matched.add(name)
        return matched

    def _matching_exact(self, scope):
        wanted = _without_prefix(scope)
        parent, _, last = wanted.rpartition("/")
        matched = set()
        for name, address in self._addresses.items():
            plain = _without_prefix(address)
            operator = self._operators[name]
            if plain == wanted or plain.startswith(wanted + "/"):
                matched.add(name)
            elif plain == parent and _OPERATOR_SEGMENT.match(last):
                # An operator of a module that is no layer (relu__0) exists for NNCF, but names no layer here.
                called = last.rpartition("_")[0]
                if called == operator or (not operator and called not in dict(_OPERATORS).values()):
                    matched.add(name)
        return matched

    def _nearest(self, scope, count=3):
        known = [self.address(name) for name, operator in self._operators.items() if operator]
        return difflib.get_close_matches(scope.replace("{re}", "").replace("\\", ""), known, count, 0) or ["no layer"]
