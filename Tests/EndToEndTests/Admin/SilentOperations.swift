/// The operations of which no request can succeed that is made up from the OpenAPI document alone, each for its reason.
///
/// Every other one succeeds in nearly every run; the few that may be silent by chance are not these.
enum SilentOperations {
    /// All of them.
    static let all = ofMails.union(ofFactors).union(ofProviders).union(ofClients).union(ofAdmins).union(ofOthers)

    /// They take what stands in a mail, or show what waits for it in the browser that began.
    private static let ofMails: Set = [
        "GET /apps/{app}/account/email/code", "GET /apps/{app}/links/{token}", "GET /apps/{app}/password-reset/code",
        "GET /apps/{app}/sign-in/code", "GET /apps/{app}/sign-up/mail",
        "GET /v1/admin/apps/{app}/audit-exports/{export}/file", "POST /apps/{app}/account/email/code",
        "POST /apps/{app}/links/{token}", "POST /apps/{app}/password-reset/code", "POST /apps/{app}/sign-in/code",
        "POST /apps/{app}/sign-up/mail", "POST /v1/apps/{app}/me/email-changes/verify",
        "POST /v1/apps/{app}/password-resets/confirm", "POST /v1/apps/{app}/sign-ins/email/verify",
        "POST /v1/apps/{app}/sign-ups/verify",
    ]

    /// They take a password or the code of an authenticator, or the browser in which a sign-in waits for one.
    private static let ofFactors: Set = [
        "GET /apps/{app}/sign-in/factor", "GET /apps/{app}/sign-in/factor/enrol", "POST /apps/{app}/sign-in/factor",
        "POST /apps/{app}/sign-in/factor/begin", "POST /apps/{app}/sign-in/factor/enrol",
        "POST /apps/{app}/sign-in/factor/finish", "POST /v1/apps/{app}/me/factors/recovery-codes",
        "POST /v1/apps/{app}/me/factors/totp", "POST /v1/apps/{app}/me/factors/totp/confirm",
        "POST /v1/apps/{app}/me/email-changes", "POST /v1/apps/{app}/me/factors/totp/remove",
        "POST /v1/apps/{app}/sign-ins/factor/finish",
        "POST /v1/apps/{app}/sign-ins/factor/totp", "POST /v1/apps/{app}/sign-ins/factor/totp/confirm",
        "POST /v1/apps/{app}/sign-ins/factor/verify",
    ]

    /// They need a provider that answers.
    private static let ofProviders: Set = [
        "DELETE /v1/apps/{app}/me/identities/{identity}", "GET /apps/{app}/providers/{name}/callback",
        "POST /apps/{app}/providers/{name}/callback", "POST /v1/admin/apps/{app}/identity-providers",
        "POST /v1/apps/{app}/me/identity-links/redeem",
    ]

    /// They take a client's secret, or a token that was given to a client or with a scope.
    private static let ofClients: Set = [
        "DELETE /v1/admin/apps/{app}/clients/{client}/secrets/{secret}", "DELETE /v1/apps/{app}/me/consents/{client}",
        "GET /apps/{app}/oauth/userinfo", "POST /apps/{app}/oauth/introspect", "POST /apps/{app}/oauth/par",
        "POST /apps/{app}/oauth/token", "POST /apps/{app}/oauth/userinfo",
        "POST /v1/admin/apps/{app}/clients/{client}/rotate-secret",
    ]

    /// They are for owners, and an API key is none.
    private static let ofAdmins: Set = [
        "DELETE /v1/admin/admins/{user}/grants/{target}", "DELETE /v1/admin/api-keys/{key}", "POST /v1/admin/api-keys",
        "POST /v1/admin/invitations", "PUT /v1/admin/admins/{user}/grants/{target}",
    ]

    /// They take a message in a state that none is in, or a development server.
    private static let ofOthers: Set = [
        "GET /dev/mails", "GET /dev/mails/latest", "GET /dev/mails/{id}", "GET /v1/admin/apps/{app}/captured-mails",
        "GET /v1/admin/apps/{app}/captured-mails/{message}", "POST /v1/admin/apps/{app}/deliveries/redrive",
        "POST /v1/admin/apps/{app}/deliveries/{message}/cancel",
        "POST /v1/admin/apps/{app}/deliveries/{message}/hold",
        "POST /v1/admin/apps/{app}/deliveries/{message}/redrive",
        "POST /v1/admin/apps/{app}/deliveries/{message}/release",
        "POST /v1/admin/apps/{app}/deliveries/{message}/resend",
    ]
}
