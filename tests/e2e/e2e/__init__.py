# SPDX-License-Identifier: Apache-2.0
"""What the end-to-end cases are written with: see docs/testing.md."""
