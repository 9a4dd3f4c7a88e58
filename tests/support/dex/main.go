// Dex, as its own packages make it: issuer, login page, consent, keys, all in memory. The module's
// own command would want a C compiler (for SQLite), which is all that this one leaves out.
// Reads {"port", "client", "secret", "redirect", "people": {mail: name}, "password"} from DEX.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"

	gosundheit "github.com/AppsFlyer/go-sundheit"
	"github.com/dexidp/dex/server"
	"github.com/dexidp/dex/storage"
	"github.com/dexidp/dex/storage/memory"
	"github.com/sirupsen/logrus"
	"golang.org/x/crypto/bcrypt"
)

type told struct {
	Port                               int
	Client, Secret, Redirect, Password string
	People                             map[string]string
}

func main() {
	if err := serve(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve() error {
	var all told
	if err := json.Unmarshal([]byte(os.Getenv("DEX")), &all); err != nil {
		return err
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(all.Password), bcrypt.DefaultCost)
	if err != nil {
		return err
	}
	logger := logrus.New()
	logger.SetLevel(logrus.WarnLevel)
	var people []storage.Password
	for mail, name := range all.People {
		person := storage.Password{Email: mail, Hash: hash, Username: name, UserID: "id-of-" + name}
		people = append(people, person)
	}
	kept := storage.WithStaticClients(memory.New(logger), []storage.Client{{
		ID: all.Client, Secret: all.Secret, RedirectURIs: []string{all.Redirect}, Name: "Shield",
	}})
	kept = storage.WithStaticPasswords(kept, people, logger)
	kept = storage.WithStaticConnectors(kept, []storage.Connector{
		{ID: server.LocalConnector, Type: server.LocalConnector, Name: "Mail"},
	})
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", all.Port))
	if err != nil {
		return err
	}
	dex, err := server.NewServer(context.Background(), server.Config{
		Issuer:        fmt.Sprintf("http://127.0.0.1:%d/dex", all.Port),
		Storage:       kept,
		Logger:        logger,
		HealthChecker: gosundheit.New(),
	})
	if err != nil {
		return err
	}
	fmt.Println("ready")
	return http.Serve(listener, dex)
}
