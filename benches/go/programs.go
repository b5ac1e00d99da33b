// The programs of `compare` in Go: programs WORKERS.
//
// A line `fib 4` of the standard input runs that program 4 times, one after the other; the answer is a line of nanoseconds. Each does
// what its namesake in src/programs.rs does, with what Go has for it: goroutines, a channel with room for one message in place of a
// oneshot and of a channel of one message, Gosched in place of yield_now.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"
)

const (
	spawned    = 10_000
	yielders   = 200
	yields     = 1000
	pairs      = 1000
	chain      = 1000
	fibOf      = 18
	roundTrips = 1000
	leaves     = 1024
	steps      = 500
)

func main() {
	// As the thread of block_on, it is no worker: what it runs and waits for, here only `remote`, goes from thread to thread.
	runtime.LockOSThread()
	workers, err := strconv.Atoi(os.Args[1])
	check(err)
	runtime.GOMAXPROCS(workers)
	programs := map[string]func(){
		"spawn_many":    spawnMany,
		"yield_many":    yieldMany,
		"ping_pong":     pingPong,
		"chained_spawn": chainedSpawn,
		"fib":           fib,
		"channels":      channels,
		"remote":        spawnMany,
		"fork_join":     forkJoin,
	}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		var name string
		var repeats int
		_, err := fmt.Sscanf(lines.Text(), "%s %d", &name, &repeats)
		check(err)
		program, found := programs[name]
		if !found {
			panic("no program is called " + name)
		}
		var taken time.Duration
		if name == "remote" {
			taken = repeat(repeats, program)
		} else {
			result := make(chan time.Duration, 1)
			go func() { result <- repeat(repeats, program) }()
			taken = <-result
		}
		fmt.Println(taken.Nanoseconds())
	}
	check(lines.Err())
}

func repeat(repeats int, program func()) time.Duration {
	start := time.Now()
	for range repeats {
		program()
	}
	return time.Since(start)
}

func spawnMany() {
	countdown := from(spawned)
	for range spawned {
		go countdown.decrement()
	}
	<-countdown.done
}

func yieldMany() {
	countdown := from(yielders)
	for range yielders {
		go func() {
			for range yields {
				runtime.Gosched()
			}
			countdown.decrement()
		}()
	}
	<-countdown.done
}

func pingPong() {
	countdown := from(pairs)
	for range pairs {
		go func() {
			ping := make(chan struct{}, 1)
			pong := make(chan struct{}, 1)
			go func() {
				<-ping
				pong <- struct{}{}
			}()
			ping <- struct{}{}
			<-pong
			countdown.decrement()
		}()
	}
	<-countdown.done
}

func chainedSpawn() {
	done := make(chan struct{}, 1)
	link(chain, done)
	<-done
}

func link(left int, last chan struct{}) {
	if left == 0 {
		last <- struct{}{}
	} else {
		go link(left-1, last)
	}
}

func fib() {
	if n := fibonacci(fibOf); n != 2584 {
		panic(n)
	}
}

func fibonacci(n uint64) uint64 {
	if n < 2 {
		return n
	}
	child := make(chan uint64, 1)
	go func() { child <- fibonacci(n - 1) }()
	here := fibonacci(n - 2)
	return <-child + here
}

func channels() {
	ping := make(chan int, 1)
	pong := make(chan int, 1)
	go func() {
		for message := range ping {
			pong <- message
		}
	}()
	for message := range roundTrips {
		ping <- message
		if <-pong != message {
			panic("another message")
		}
	}
	close(ping)
}

var joined uint64

func forkJoin() {
	joined += halves(1, leaves)
}

// The sum of the work of the leaves from `first` on.
func halves(first, count uint64) uint64 {
	if count == 1 {
		return work(first)
	}
	half := count / 2
	child := make(chan uint64, 1)
	go func() { child <- halves(first, half) }()
	here := halves(first+half, count-half)
	return <-child + here
}

func work(seed uint64) uint64 {
	for range steps {
		seed ^= seed << 13
		seed ^= seed >> 7
		seed ^= seed << 17
	}
	return seed
}

// Fires a channel when the last of several goroutines is done.
type countdown struct {
	left atomic.Int64
	done chan struct{}
}

func from(tasks int64) *countdown {
	c := &countdown{done: make(chan struct{}, 1)}
	c.left.Store(tasks)
	return c
}

func (c *countdown) decrement() {
	if c.left.Add(-1) == 0 {
		c.done <- struct{}{}
	}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
