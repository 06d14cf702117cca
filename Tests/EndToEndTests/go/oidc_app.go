// An app that signs in by go-oidc, the OpenID client of CoreOS, and an API that verifies access tokens by it.
//
// What the environment says: ISSUER, APP, CLIENT, SECRET, PORT; KEYS_SECONDS puts another life of the key set in
// place of the one that its answer states, so that a test sees it end.
package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"strings"
	"sync"

	oidc "github.com/coreos/go-oidc"
	"golang.org/x/oauth2"
)

// life changes how long the key set may be kept.
type life struct{ seconds string }

func (l life) RoundTrip(request *http.Request) (*http.Response, error) {
	answer, err := http.DefaultTransport.RoundTrip(request)
	if err == nil && l.seconds != "" && strings.HasSuffix(request.URL.Path, "/jwks.json") {
		answer.Header.Set("Cache-Control", "max-age="+l.seconds)
	}
	return answer, err
}

type begun struct{ verifier, nonce string }

func random() string {
	bytes := make([]byte, 32)
	if _, err := rand.Read(bytes); err != nil {
		log.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(bytes)
}

func main() {
	issuer, home := os.Getenv("ISSUER"), "http://localhost:"+os.Getenv("PORT")
	ctx := oidc.ClientContext(context.Background(), &http.Client{Transport: life{os.Getenv("KEYS_SECONDS")}})
	provider, err := oidc.NewProvider(ctx, issuer)
	if err != nil {
		log.Fatal(err)
	}
	config := oauth2.Config{
		ClientID: os.Getenv("CLIENT"), ClientSecret: os.Getenv("SECRET"), Endpoint: provider.Endpoint(),
		RedirectURL: home + "/callback", Scopes: []string{oidc.ScopeOpenID, "email"},
	}
	idTokens := provider.Verifier(&oidc.Config{ClientID: config.ClientID})
	accessTokens := provider.Verifier(
		&oidc.Config{ClientID: os.Getenv("APP"), SupportedSigningAlgs: []string{oidc.ES256}})
	var waiting sync.Map

	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		state, start := random(), begun{random(), random()}
		waiting.Store(state, start)
		sum := sha256.Sum256([]byte(start.verifier))
		http.Redirect(w, r, config.AuthCodeURL(state, oidc.Nonce(start.nonce),
			oauth2.SetAuthURLParam("code_challenge", base64.RawURLEncoding.EncodeToString(sum[:])),
			oauth2.SetAuthURLParam("code_challenge_method", "S256")), http.StatusSeeOther)
	})
	http.HandleFunc("/callback", func(w http.ResponseWriter, r *http.Request) {
		found, ok := waiting.LoadAndDelete(r.URL.Query().Get("state"))
		if !ok || r.URL.Query().Get("iss") != issuer {
			http.Error(w, "not begun here", http.StatusBadRequest)
			return
		}
		start := found.(begun)
		tokens, err := config.Exchange(ctx, r.URL.Query().Get("code"),
			oauth2.SetAuthURLParam("code_verifier", start.verifier))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		json.NewEncoder(w).Encode(signedIn(ctx, provider, idTokens, accessTokens, &config, tokens, start.nonce))
	})
	http.HandleFunc("/api", func(w http.ResponseWriter, r *http.Request) {
		token, err := accessTokens.Verify(ctx, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		if err != nil {
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		var claims struct{ Party string }
		if err := token.Claims(&claims); err != nil || claims.Party != "" {
			http.Error(w, "a third party's token", http.StatusUnauthorized)
			return
		}
		fmt.Fprintf(w, `{"sub":%q}`, token.Subject)
	})
	log.Fatal(http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil))
}

// signedIn says what go-oidc makes of what the exchange gave, and of the same with mistakes.
func signedIn(
	ctx context.Context, provider *oidc.Provider, idTokens, accessTokens *oidc.IDTokenVerifier,
	config *oauth2.Config, tokens *oauth2.Token, nonce string,
) map[string]any {
	raw, _ := tokens.Extra("id_token").(string)
	idToken, err := idTokens.Verify(ctx, raw)
	if err != nil {
		return map[string]any{"error": err.Error()}
	}
	var claims struct{ Email string }
	info, err := provider.UserInfo(ctx, oauth2.StaticTokenSource(tokens))
	if err != nil {
		return map[string]any{"error": err.Error()}
	}
	info.Claims(&claims)
	expired := &oauth2.Token{RefreshToken: tokens.RefreshToken}
	refreshed, err := config.TokenSource(ctx, expired).Token()
	if err != nil {
		return map[string]any{"error": err.Error()}
	}
	parts := strings.Split(raw, ".")
	refused := map[string]bool{}
	for name, token := range map[string]string{
		"another signature": parts[0] + "." + parts[1] + "." + base64.RawURLEncoding.EncodeToString(make([]byte, 64)),
		"no signature":      base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + parts[1] + ".",
		"an access token":   tokens.AccessToken,
	} {
		_, err := idTokens.Verify(ctx, token)
		refused[name] = err != nil
	}
	_, err = accessTokens.Verify(ctx, raw)
	refused["an ID token at the API"] = err != nil
	return map[string]any{
		"sub": idToken.Subject, "email": claims.Email, "same": info.Subject == idToken.Subject,
		"nonce": idToken.Nonce == nonce, "at_hash": idToken.VerifyAccessToken(tokens.AccessToken) == nil,
		"refreshed": refreshed.AccessToken != tokens.AccessToken, "refused": refused,
	}
}
