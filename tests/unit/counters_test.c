/* SPDX-License-Identifier: Apache-2.0 */
/*
 * counters_test: one sample as JSON and as OpenMetrics text. A collector's own
 * parser reads the text in the end-to-end tests.
 */
#include "vmm/counters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "vmm/qmp.h"

static struct counters_sample sample(void)
{
	return (struct counters_sample){
		.name = "vm",
		.status = "paused",
		.uptime_ns = 2000000001,
		.cpu_ns = 5,
		.memory_bytes = 64 * MIB,
		.resident_bytes = 4096,
		.n_cpus = 1,
		.cpu = { { .exits = { 1, 2, 3, 4, 5, 6 }, .cpu_ns = 7 } },
		.board = {
			.n_disks = 1,
			.n_nets = 2,
			.disk = { { "root",
				    { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 } } },
			.net = { { "net0",
				   { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 } },
				 { "net1", { [NET_TX_WAIT_NS] = 2500000000 } },
			},
			.has_vsock = true,
			.vsock = { { 1, 2, 3, 4, 5, 6 } },
			.bounce_bytes = 99,
		},
	};
}

static void json(void **state)
{
	struct counters_sample s = sample();
	json_t *v = counters_json(&s), *want;

	(void)state;
	want = json_loads(
		"{\"vcpus\": [{\"cpu-index\": 0, \"exits\": 21, "
		"\"exits-by-kind\": {\"io-read\": 1, \"io-write\": 2, "
		"\"mmio-read\": 3, \"mmio-write\": 4, \"interrupted\": 5, "
		"\"other\": 6}, \"cpu-ns\": 7}], \"disks\": [{\"id\": \"root\","
		" \"reads\": 1, \"read-bytes\": 2, \"writes\": 3, "
		"\"written-bytes\": 4, \"flushes\": 5, \"discards\": 6, "
		"\"zero-writes\": 7, \"errors\": 8, \"throttled\": 9, "
		"\"throttled-ns\": 10}], \"nets\": [{\"id\": \"net0\", "
		"\"rx-frames\": 1, \"rx-bytes\": 2, \"rx-drops\": 3, "
		"\"rx-errors\": 4, \"rx-throttled\": 5, \"rx-throttled-ns\": "
		"6, \"tx-frames\": 7, \"tx-bytes\": 8, \"tx-drops\": 9, "
		"\"tx-errors\": 10, \"tx-throttled\": 11, "
		"\"tx-throttled-ns\": 12}, {\"id\": \"net1\", \"rx-frames\": "
		"0, \"rx-bytes\": 0, \"rx-drops\": 0, \"rx-errors\": 0, "
		"\"rx-throttled\": 0, \"rx-throttled-ns\": 0, \"tx-frames\": "
		"0, \"tx-bytes\": 0, \"tx-drops\": 0, \"tx-errors\": 0, "
		"\"tx-throttled\": 0, \"tx-throttled-ns\": 2500000000}], "
		"\"vsock\": {\"rx-packets\": 1, \"rx-bytes\": 2, "
		"\"tx-packets\": 3, \"tx-bytes\": 4, \"opened\": 5, "
		"\"resets\": 6}, \"bounce-bytes\": 99, \"memory\": {\"bytes\": "
		"67108864, \"resident-bytes\": 4096}, \"uptime-ns\": "
		"2000000001, \"cpu-ns\": 5}",
		0, NULL);
	assert_non_null(want);
	assert_true(json_equal(v, want));
	json_decref(v);
	json_decref(want);
}

static void has(const char *text, const char *line)
{
	if (!strstr(text, line))
		fail_msg("no \"%s\" in:\n%s", line, text);
}

static void metrics(void **state)
{
	struct counters_sample s = sample();
	char *text = counters_metrics(&s);
	size_t len = strlen(text);

	(void)state;
	has(text, "carrel_vm_info{name=\"vm\",version=\"");
	has(text, "carrel_vm_state{carrel_vm_state=\"paused\"} 1\n");
	has(text, "carrel_vm_state{carrel_vm_state=\"running\"} 0\n");
	has(text, "\ncarrel_uptime_seconds 2.000000001\n");
	has(text, "\n# UNIT carrel_memory_bytes bytes\n");
	has(text, "\ncarrel_memory_resident_bytes 4096\n");
	has(text, "\ncarrel_vcpu_cpu_seconds_total{cpu=\"0\"} 0.000000007\n");
	has(text, "\ncarrel_vcpu_exits_total{cpu=\"0\",kind=\"mmio-read\"} 3");
	has(text, "\ncarrel_disk_written_bytes_total{disk=\"root\"} 4\n");
	has(text, "\ncarrel_disk_errors_total{disk=\"root\"} 8\n");
	has(text, "\ncarrel_disk_throttled_total{disk=\"root\"} 9\n");
	has(text, "\ncarrel_disk_throttled_seconds_total{disk=\"root\"} "
		  "0.000000010\n");
	has(text, "\n# UNIT carrel_net_tx_throttled_seconds seconds\n");
	has(text, "\ncarrel_net_tx_throttled_seconds_total{net=\"net1\"} "
		  "2.500000000\n");
	has(text, "\ncarrel_net_rx_bytes_total{net=\"net0\"} 2\n");
	has(text, "\ncarrel_vsock_opened_total 5\n");
	has(text, "\ncarrel_bounce_bytes_total 99\n");
	assert_string_equal(text + len - 7, "\n# EOF\n");
	free(text);
}

static void balloon(void **state)
{
	struct counters_sample s = sample();
	json_t *v, *want;
	char *text;

	(void)state;
	s.balloon = (struct balloon_counts){
		.on = true,
		.target_bytes = 1,
		.actual_bytes = 2,
		.inflated_bytes = 3,
		.reported_bytes = 4,
		.stat_age_ns = 5,
		.stats = 1u << BALLOON_FREE | 1u << BALLOON_HUGE_FAILS,
		.stat = { [BALLOON_FREE] = 6,
			  [BALLOON_CACHES] = 7,
			  [BALLOON_HUGE_FAILS] = UINT64_MAX },
	};
	v = counters_json(&s);
	want = json_loads("{\"target-bytes\": 1, \"actual-bytes\": 2, "
			  "\"inflated-bytes\": 3, \"reported-bytes\": 4, "
			  "\"stats-age-ns\": 5, \"stats\": "
			  "{\"stat-free-memory\": 6, \"stat-htlb-pgfail\": "
			  "9223372036854775807}}",
			  0, NULL);
	assert_true(json_equal(json_object_get(v, "balloon"), want));
	json_decref(v);
	json_decref(want);
	text = counters_metrics(&s);
	has(text, "\ncarrel_balloon_target_bytes 1\n");
	has(text, "\ncarrel_balloon_actual_bytes 2\n");
	has(text, "\ncarrel_balloon_inflated_bytes_total 3\n");
	has(text, "\ncarrel_balloon_reported_bytes_total 4\n");
	has(text, "\ncarrel_guest_memory_bytes{kind=\"free\"} 6\n");
	assert_null(strstr(text, "kind=\"caches\""));
	free(text);
}

/* Each state of a machine is the metric's, too. */
static void every_state(void **state)
{
	static const char *const states[] = {
		"prelaunch",	  "running",  "paused",	  "guest-panicked",
		"internal-error", "watchdog", "shutdown",
	};
	struct counters_sample s = sample();
	char line[96], *text;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		s.status = states[i];
		text = counters_metrics(&s);
		snprintf(line, sizeof(line),
			 "carrel_vm_state{carrel_vm_state=\"%s\"} 1\n",
			 states[i]);
		has(text, line);
		free(text);
	}
}

static void no_disk_no_name(void **state)
{
	struct counters_sample s = sample();
	char *text;

	(void)state;
	s.board = (struct board_counts){ 0 };
	s.name = NULL;
	text = counters_metrics(&s);
	has(text, "carrel_vm_info{name=\"\",");
	assert_null(strstr(text, "disk"));
	assert_null(strstr(text, "balloon"));
	assert_null(strstr(text, "vsock"));
	free(text);
}

/* The largest VM's answers fit into what carrelctl takes for one line. */
static void largest(void **state)
{
	struct counters_sample s = sample();
	json_t *v;
	char *text;

	(void)state;
	s.n_cpus = VCPUS_MAX;
	memset(s.cpu, 0x3f, sizeof(s.cpu));
	memset(&s.board, 0x3f, sizeof(s.board));
	s.board.n_disks = CONFIG_DISKS;
	s.board.n_nets = CONFIG_NETS;
	s.board.has_vsock = true;
	for (size_t i = 0; i < CONFIG_DISKS; i++)
		s.board.disk[i].id = "12345678901234567890";
	for (size_t i = 0; i < CONFIG_NETS; i++)
		s.board.net[i].id = "12345678901234567890";
	text = counters_metrics(&s);
	v = json_string(text);
	free(text);
	text = json_dumps(v, JSON_ENCODE_ANY);
	assert_true(strlen(text) < QMP_LINE_MAX - 256);
	free(text);
	json_decref(v);
	v = counters_json(&s);
	text = json_dumps(v, 0);
	assert_true(strlen(text) < QMP_LINE_MAX - 256);
	free(text);
	json_decref(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json),
		cmocka_unit_test(metrics),
		cmocka_unit_test(balloon),
		cmocka_unit_test(every_state),
		cmocka_unit_test(no_disk_no_name),
		cmocka_unit_test(largest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
