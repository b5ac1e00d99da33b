// The ticker of `compare stalls` in Go: ticker blocking|spinning WORKERS MILLISECONDS.
//
// Prints an array of JSON: how long it lasted, and when the ticks were, those before the stalls included; in milliseconds since the
// stalls began.
package main

import (
	"encoding/json"
	"os"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

func main() {
	workers, err := strconv.Atoi(os.Args[2])
	check(err)
	length, err := strconv.Atoi(os.Args[3])
	check(err)
	runtime.GOMAXPROCS(workers)

	var lock sync.Mutex
	var ticks []time.Time
	go func() {
		last := time.Now()
		for {
			time.Sleep(time.Until(last.Add(time.Millisecond)))
			last = time.Now()
			lock.Lock()
			ticks = append(ticks, last)
			lock.Unlock()
		}
	}()
	time.Sleep(100 * time.Millisecond)

	start := time.Now()
	for range 4 {
		if os.Args[1] == "blocking" {
			go block()
		} else {
			go spin()
		}
	}
	time.Sleep(time.Duration(length) * time.Millisecond)
	lock.Lock()
	end := time.Now()
	times := []float64{milliseconds(end.Sub(start))}
	for _, tick := range ticks {
		times = append(times, milliseconds(tick.Sub(start)))
	}
	check(json.NewEncoder(os.Stdout).Encode(times))
	os.Exit(0)
}

// Blocks its thread in the kernel, not only itself.
func block() {
	for {
		sleep := syscall.NsecToTimespec(20_000_000)
		// Interrupted by the runtime's own signals it is only shorter.
		_ = syscall.Nanosleep(&sleep, nil)
		runtime.Gosched()
	}
}

var spins uint64

func spin() {
	for n := uint64(0); ; n++ {
		if n == 0 {
			spins++
		}
	}
}

func milliseconds(d time.Duration) float64 {
	return float64(d.Nanoseconds()) / 1e6
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}
