// Reads a six-field cron a line, and prints when Kubeflow Pipelines would run it the next five
// times: with the parser of its API server and its scheduledworkflow controller.
package main

import (
	"bufio"
	"fmt"
	"os"
	"time"

	"github.com/robfig/cron"
)

func main() {
	start := time.Date(2026, 11, 24, 3, 0, 0, 0, time.UTC)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); fmt.Println() {
		schedule, err := cron.Parse(lines.Text())
		if err != nil {
			fmt.Print("refused: ", err)
			continue
		}
		for due, count := schedule.Next(start), 0; count < 5; due, count = schedule.Next(due), count+1 {
			fmt.Print(due.Unix(), " ")
		}
	}
}
