# SPDX-License-Identifier: Apache-2.0
"""carrel-image: encrypted, bootable disk images without loop devices and
without device-mapper. One noun a file; build.py, inspection.py and rekey.py
are the verbs, written over the others."""
