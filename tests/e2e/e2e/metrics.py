# SPDX-License-Identifier: Apache-2.0
"""A VM's metrics, as a collector's own parser reads them."""
from prometheus_client.openmetrics.parser import \
    text_string_to_metric_families

from e2e.vm import run


def metrics(t, vm):
    """Families by name, and values: of ("NAME", ("LABEL", "VALUE"), ...)."""
    status, text = run([t.program("carrelctl"), vm.control, "metrics"])
    assert status == 0, text
    families = {f.name: f for f in text_string_to_metric_families(text)}
    return families, {(s.name, *sorted(s.labels.items())): s.value
                      for f in families.values() for s in f.samples}
