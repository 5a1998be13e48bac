/* SPDX-License-Identifier: Apache-2.0 */
/*
 * emu_memory_test: private and shared memory apart, without KVM: a thread of
 * the test takes the place of a guest, on the two views that KVM would get.
 */
#include <errno.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "sev/emu/memory.h"
#include "sev/emu/stub.h"
#include "sev/emu/view.h"
#include "sev/emu/writeback.h"

#define LEN (8 * PAGE)

struct setting {
	struct journal log;
	struct cipher cipher;
	struct memory mem;
	uint8_t *ram; /* the program's */
	struct block *b;
};

static int begin(void **state)
{
	static const uint8_t key[16] = { 1, 2, 3 };
	struct setting *s = calloc(1, sizeof *s);
	uint64_t off;

	s->log.fd = -1;
	s->ram = mmap(NULL, LEN, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(s->ram, 'p', LEN);
	*state = s;
	if (cipher_open(&s->cipher, key) || memory_open(&s->mem, &s->log))
		return -1;
	return memory_adopt(&s->mem, (uintptr_t)s->ram, LEN, true, &s->b, &off);
}

static int end(void **state)
{
	struct setting *s = *state;

	cipher_close(&s->cipher);
	munmap(s->ram, LEN);
	memory_close(&s->mem);
	free(s);
	return 0;
}

static void adoption_keeps_what_is_there(void **state)
{
	struct setting *s = *state;
	struct block *b;
	uint64_t off;

	assert_int_equal(s->ram[0], 'p');
	assert_int_equal(s->ram[LEN - 1], 'p');
	assert_int_equal(s->b->plain[LEN - 1], 'p');
	s->ram[5] = 'q';
	assert_int_equal(s->b->plain[5], 'q');
	assert_int_equal(s->b->secret[5], 0);
	assert_int_equal(memory_adopt(&s->mem, (uintptr_t)s->ram + PAGE, 100,
				      false, &b, &off),
			 0);
	assert_ptr_equal(b, s->b);
	assert_int_equal(off, PAGE);
	/* Not mapped at all; or only half of it known. */
	assert_int_equal(memory_adopt(&s->mem, PAGE, PAGE, false, &b, &off),
			 -EFAULT);
	assert_int_not_equal(memory_adopt(&s->mem, (uintptr_t)s->ram + PAGE,
					  LEN, false, &b, &off),
			     0);
	assert_int_not_equal(
		memory_adopt(&s->mem, ~0ull - PAGE, 2 * PAGE, false, &b, &off),
		0);
}

/* A slot over memory that nobody may read is an error, not a crash. */
static void unreadable_is_refused(void **state)
{
	struct setting *s = *state;
	uint8_t *hole =
		mmap(NULL, LEN, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned blocks = s->mem.blocks;
	struct block *b;
	uint64_t off;

	assert_int_equal(
		memory_adopt(&s->mem, (uintptr_t)hole, LEN, true, &b, &off),
		-ENOMEM);
	assert_int_equal(s->mem.blocks, blocks);
	munmap(hole, LEN);
}

static void shared_memory_is_taken_whole(void **state)
{
	struct setting *s = *state;
	int fd;
	uint8_t *ram = stub_map_new(LEN, &fd);
	struct block *b, *again;
	uint64_t off;

	assert_int_equal(memory_adopt(&s->mem, (uintptr_t)ram + 3 * PAGE, PAGE,
				      false, &b, &off),
			 0);
	assert_int_equal(off, 3 * PAGE);
	assert_int_equal(b->len, LEN);
	assert_int_equal(
		memory_adopt(&s->mem, (uintptr_t)ram, LEN, false, &again, &off),
		0);
	assert_ptr_equal(again, b);
	ram[77] = 7;
	assert_int_equal(b->plain[77], 7);
	stub_close(fd);
}

static void secrets_leave_ciphertext(void **state)
{
	struct setting *s = *state;
	uint64_t at = (uintptr_t)s->ram + PAGE + 32;
	uint8_t text[PAGE], back[PAGE], other[16];

	memset(text, 't', sizeof text);
	assert_int_equal(memory_write_private(&s->mem, &s->cipher, at, text,
					      sizeof text),
			 0);
	assert_int_equal(s->ram[PAGE + 31], 'p');
	assert_int_equal(s->ram[2 * PAGE + 32], 'p');
	for (size_t i = 0; i < PAGE; i += 16)
		assert_memory_not_equal(s->ram + PAGE + 32 + i, text, 16);
	assert_memory_equal(s->b->secret + PAGE + 32, text, PAGE);
	assert_int_equal(
		memory_read_private(&s->mem, &s->cipher, at, back, sizeof back),
		0);
	assert_memory_equal(back, text, PAGE);
	assert_int_equal(cipher_decrypt(&s->cipher, s->b->dram + PAGE + 32,
					s->ram + PAGE + 32, other, 16),
			 0);
	assert_memory_equal(other, text, 16);
}

/* The "guest": one access to one byte, in a thread that may have to wait. */
struct access {
	volatile uint8_t *at;
	uint8_t value;
	bool write;
};

static void *touch(void *arg)
{
	struct access *a = arg;

	if (a->write)
		*a->at = a->value;
	else
		a->value = *a->at;
	return NULL;
}

static bool waits(struct setting *s, struct fault *f)
{
	struct pollfd p = { .fd = s->mem.uffd, .events = POLLIN };
	struct uffd_msg m;

	if (poll(&p, 1, 300) != 1)
		return false;
	assert_int_equal(read(s->mem.uffd, &m, sizeof m), sizeof m);
	assert_true(view_fault(&s->mem, m.arg.pagefault.address, f));
	return true;
}

/* Makes the access; true: it had to wait, and was answered with `to`. */
static bool guest(struct setting *s, struct access *a, enum view to,
		  unsigned pages)
{
	struct fault f;
	pthread_t t;
	bool waited;

	assert_int_equal(pthread_create(&t, NULL, touch, a), 0);
	waited = waits(s, &f);
	if (waited && f.closed)
		view_claim(&s->mem, &f);
	else if (waited)
		view_answer(&s->mem, &f, to, pages);
	pthread_join(t, NULL);
	return waited;
}

static void first_access_decides(void **state)
{
	struct setting *s = *state;
	struct access open = { .at = s->b->open + 10 };
	struct access closed = { .at = s->b->closed + 10, 'c', true };

	/* With the C-bit nothing stops, and S does not see it. */
	assert_false(guest(s, &closed, VIEW_SHARED, 1));
	assert_int_equal(s->ram[10], 'p');

	assert_true(guest(s, &open, VIEW_SHARED, 1));
	assert_int_equal(open.value, 'p');
	assert_false(guest(s, &open, VIEW_SHARED, 1));

	/* The C-bit takes the page back, and then sharing has to be asked. */
	closed.value = 'd';
	assert_true(guest(s, &closed, VIEW_SHARED, 1));
	assert_int_equal(s->b->secret[10], 'd');
	assert_int_equal(s->ram[10], 'p');
	assert_true(guest(s, &open, VIEW_PRIVATE, 1));
	assert_int_equal(open.value, 'd');
	assert_false(guest(s, &open, VIEW_SHARED, 1));
}

static void neighbours_are_shared_with_it(void **state)
{
	struct setting *s = *state;
	struct access first = { .at = s->b->open + PAGE };
	struct access third = { .at = s->b->open + 3 * PAGE, 'w', true };
	struct access fourth = { .at = s->b->open + 4 * PAGE };

	assert_true(guest(s, &first, VIEW_SHARED, 3));
	assert_false(guest(s, &third, VIEW_PRIVATE, 1));
	assert_int_equal(s->ram[3 * PAGE], 'w');
	assert_true(guest(s, &fourth, VIEW_PRIVATE, 1));
	assert_int_equal(fourth.value, 0);
}

/* KVM_HC_MAP_GPA_RANGE, in both directions. */
static void announcements_count(void **state)
{
	struct setting *s = *state;
	struct access open = { .at = s->b->open + 5 * PAGE };

	view_open(&s->mem, s->b, 4 * PAGE, 2 * PAGE);
	assert_true(guest(s, &open, VIEW_SHARED, 1));
	assert_int_equal(open.value, 'p');
	assert_int_equal(s->b->view[5], VIEW_SHARED);
	view_close(&s->mem, s->b, 4 * PAGE, 2 * PAGE);
	assert_true(guest(s, &open, VIEW_PRIVATE, 1));
	assert_int_equal(open.value, 0);
}

static double seconds_used(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/*
 * The thread that writes ciphertext back must cost next to nothing when there
 * is nothing to write, however large the guest. Afterwards all of it is gone.
 */
static void idle_writeback_is_cheap(void **state)
{
	struct setting *s = *state;
	const size_t len = 256 << 20;
	uint8_t *ram = stub_map_new(len, NULL);
	struct block *b;
	uint64_t off;
	pthread_t t;
	double used;

	assert_non_null(ram);
	assert_int_equal(
		memory_adopt(&s->mem, (uintptr_t)ram, len, true, &b, &off), 0);
	for (size_t i = 0; i < len; i += PAGE)
		ram[i] = b->secret[i] = 1;
	s->mem.cipher = &s->cipher;
	memory_run(&s->mem);
	assert_int_equal(writeback_start(&s->mem, &t), 0);
	used = seconds_used();
	usleep(1000 * 1000);
	used = seconds_used() - used;
	print_message("%.3f s of processor time a second\n", used);
	assert_true(used < 0.05);
	word_set(&s->mem.over, 1);
	assert_int_equal(pthread_join(t, NULL), 0);
	munmap(ram, len);
}

/* What the guest writes is ciphertext for the host, some time later. */
static void written_is_ciphertext(void **state)
{
	struct setting *s = *state;
	uint8_t *ram = stub_map_new(LEN, NULL), back[PAGE];
	unsigned char there = 0;
	struct block *b;
	uint64_t off;
	pthread_t t;

	assert_int_equal(
		memory_adopt(&s->mem, (uintptr_t)ram, LEN, true, &b, &off), 0);
	memset(b->closed + 2 * PAGE, 'w', PAGE);
	s->mem.cipher = &s->cipher;
	memory_run(&s->mem);
	assert_int_equal(writeback_start(&s->mem, &t), 0);
	for (int i = 0; i < 100 && !(there & 1); i++) {
		usleep(50 * 1000); /* looking must not make the page */
		mincore(ram + 2 * PAGE, PAGE, &there);
	}
	assert_true(there & 1);
	for (size_t i = 0; i < PAGE; i += 16)
		assert_memory_not_equal(ram + 2 * PAGE + i,
					b->secret + 2 * PAGE + i, 16);
	assert_int_equal(cipher_decrypt(&s->cipher, b->dram + 2 * PAGE,
					ram + 2 * PAGE, back, PAGE),
			 0);
	assert_memory_equal(back, b->secret + 2 * PAGE, PAGE);
	word_set(&s->mem.over, 1);
	assert_int_equal(pthread_join(t, NULL), 0);
	munmap(ram, LEN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(adoption_keeps_what_is_there,
						begin, end),
		cmocka_unit_test_setup_teardown(unreadable_is_refused, begin,
						end),
		cmocka_unit_test_setup_teardown(shared_memory_is_taken_whole,
						begin, end),
		cmocka_unit_test_setup_teardown(secrets_leave_ciphertext, begin,
						end),
		cmocka_unit_test_setup_teardown(first_access_decides, begin,
						end),
		cmocka_unit_test_setup_teardown(neighbours_are_shared_with_it,
						begin, end),
		cmocka_unit_test_setup_teardown(announcements_count, begin,
						end),
		cmocka_unit_test_setup_teardown(idle_writeback_is_cheap, begin,
						end),
		cmocka_unit_test_setup_teardown(written_is_ciphertext, begin,
						end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
