/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker: see the header. The thread is in one of three states: asleep on the
 * eventfd, busy in run, or waiting on the condition because somebody holds it.
 */
#include "devices/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "vmm/clock.h"

/* With the lock held. */
static void holds_changed(struct worker *w)
{
	atomic_store_explicit(&w->held, w->holds || w->quit,
			      memory_order_relaxed);
	pthread_cond_broadcast(&w->changed);
}

void worker_take_kick(const struct worker *w)
{
	uint64_t n;

	/* Whatever it returns, looking for work once more is right. */
	(void)!read(w->kick_fd, &n, sizeof(n));
}

/* What is left until then. */
static struct timespec time_until(uint64_t ns)
{
	uint64_t now = clock_ns(), left = ns > now ? ns - now : 0;

	return (struct timespec){ .tv_sec = (time_t)(left / CLOCK_NS_PER_S),
				  .tv_nsec = (long)(left % CLOCK_NS_PER_S) };
}

static void wait_kick_or_watch(struct worker *w)
{
	struct pollfd p[2] = { { .fd = w->kick_fd, .events = POLLIN },
			       w->watch };
	struct timespec left;

	if (w->wake_ns)
		left = time_until(w->wake_ns);
	if ((w->watch.fd < 0 && !w->wake_ns) ||
	    (ppoll(p, 2, w->wake_ns ? &left : NULL, NULL) > 0 && p[0].revents))
		worker_take_kick(w);
	worker_watch(w, -1, 0);
	worker_wake_at(w, 0);
}

/* Sleeps until kicked; the lock is free meanwhile. */
static void wait_kick(struct worker *w)
{
	void (*wait)(void *ctx, bool held) = w->wait;
	bool held = w->holds;

	pthread_mutex_unlock(&w->lock);
	if (wait)
		wait(w->ctx, held);
	else
		wait_kick_or_watch(w);
	pthread_mutex_lock(&w->lock);
}

static void *worker_main(void *arg)
{
	struct worker *w = arg;

	pthread_setname_np(pthread_self(), w->name);
	if (w->hooks.enter)
		w->hooks.enter(w->hooks.ctx, w->hooks.role);
	pthread_mutex_lock(&w->lock);
	w->busy = false; /* worker_open waits for this */
	pthread_cond_broadcast(&w->changed);
	while (!w->quit) {
		wait_kick(w);
		while (!w->wait && w->holds && !w->quit)
			pthread_cond_wait(&w->changed, &w->lock);
		if (w->quit)
			break;
		if (w->holds)
			continue;
		w->busy = true;
		pthread_mutex_unlock(&w->lock);
		w->run(w->ctx);
		pthread_mutex_lock(&w->lock);
		w->busy = false;
		pthread_cond_broadcast(&w->changed);
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

static int start_thread(struct worker *w)
{
	sigset_t all, old;
	int rc;

	/* The mask is inherited: blocked before the thread's first moment. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&w->thread, NULL, worker_main, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -rc;
}

int worker_open(struct worker *w, const char *name, void (*run)(void *ctx),
		void *ctx, const struct worker_hooks *hooks)
{
	int rc;

	*w = (struct worker){
		.holds = 1,
		.busy = true,
		.held = true,
		.kick_fd = eventfd(0, EFD_CLOEXEC),
		.watch.fd = -1,
		.run = run,
		.ctx = ctx,
	};
	if (w->kick_fd < 0)
		return -errno;
	if (hooks)
		w->hooks = *hooks;
	(void)snprintf(w->name, sizeof(w->name), "%s", name);
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->changed, NULL);
	rc = start_thread(w);
	if (rc)
		goto fail;
	pthread_mutex_lock(&w->lock);
	while (w->busy)
		pthread_cond_wait(&w->changed, &w->lock);
	pthread_mutex_unlock(&w->lock);
	return 0;
fail:
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	close(w->kick_fd);
	return rc;
}

void worker_close(struct worker *w)
{
	pthread_mutex_lock(&w->lock);
	w->quit = true;
	holds_changed(w);
	pthread_mutex_unlock(&w->lock);
	worker_kick(w);
	pthread_join(w->thread, NULL);
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	close(w->kick_fd);
}

void worker_set_wait(struct worker *w, void (*wait)(void *ctx, bool held))
{
	pthread_mutex_lock(&w->lock);
	CHECK(w->holds);
	w->wait = wait;
	pthread_mutex_unlock(&w->lock);
	worker_kick(w);
}

void worker_hold(struct worker *w)
{
	pthread_mutex_lock(&w->lock);
	w->holds++;
	holds_changed(w);
	if (w->wait) /* it is to know, too, that it waits held from now on */
		worker_kick(w);
	while (w->busy)
		pthread_cond_wait(&w->changed, &w->lock);
	pthread_mutex_unlock(&w->lock);
}

void worker_release(struct worker *w)
{
	pthread_mutex_lock(&w->lock);
	CHECK(w->holds);
	w->holds--;
	holds_changed(w);
	pthread_mutex_unlock(&w->lock);
	worker_kick(w);
}

void worker_kick(const struct worker *w)
{
	/* A full counter (EAGAIN cannot happen) is a kick already. */
	(void)!write(w->kick_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
}
