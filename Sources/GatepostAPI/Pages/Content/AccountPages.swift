import GatepostStore

/// Somebody's own account: who they are, what protects it, and where they are signed in.
struct AccountPage: FormPage {
    /// A session, as its owner tells it from others.
    struct Line {
        let id: String
        /// Whether it is the one of this very browser.
        let isHere: Bool
        /// The client, or the pages themselves.
        let title: String
        let device: String
        let ip: String?
        /// For people, and for machines.
        let lastUsed: String
        let lastUsedAt: String
    }

    /// Who the owner is with a provider.
    struct Identity {
        let id: String
        let title: String
        let email: String?
        let since: String

        init(_ identity: UserIdentityRecord) {
            (id, email, since) = ("\(identity.id)", identity.email, identity.createdAt.dayText)
            title = identity.providerLabel ?? identity.issuer
        }
    }

    /// A provider with which the owner is nobody yet.
    struct Link {
        let label: String
        /// Where its form is posted to.
        let action: String
    }

    /// A client that the owner has let use the account.
    struct Consent {
        let client: String
        let title: String
        /// What it may be told, for people.
        let told: String
        let since: String

        init(_ consent: ConsentRecord, told: [String]) {
            (client, title, since) = ("\(consent.clientID)", consent.clientName, consent.createdAt.dayText)
            self.told = told.joined(separator: " · ")
        }
    }

    let template = "account"
    /// Where the page is: its forms lead below it, also where one of them shows it again.
    let base: String
    let signOut: String
    let email: String
    /// The day on which the account was opened.
    let since: String
    let sessions: [Line]
    let hasOthers: Bool
    let hasPassword: Bool
    let hasFactor: Bool
    let identities: [Identity]
    /// One for each provider that may be linked.
    let links: [Link]
    let consents: [Consent]
    /// Whether there are any; a template sees stored properties only.
    let hasConsents: Bool
    /// Whether the app knows any provider at all.
    let hasWays: Bool
    /// What was just done.
    let news: String?
    /// Why what was just tried was not done.
    let problem: FormProblem?
    let formTargets: [String]

    var values: [String: String] { ["since": since] }
}

/// Another password, by the one that there is; without one, how to get the first.
struct PasswordChangePage: FormPage {
    let template = "password-change"
    let email: String
    let hasPassword: Bool
    let problem: FormProblem?
}

/// Another address.
struct EmailChangePage: FormPage {
    let template = "email-change"
    /// The one that the account has.
    let current: String
    /// What was typed.
    let email: String?
    let hasPassword: Bool
    let problem: FormProblem?
}

/// Asks somebody who is signed in, but not since a moment ago, to sign in once more.
struct SignInAgainPage: PageContent {
    let template = "sign-in-again"
    /// Where the app's pages are.
    let base: String
}

/// Asks whether to sign out; without an address, says that nobody is signed in.
struct SignOutPage: PageContent {
    let template = "sign-out"
    let email: String?
    /// Where a client wants the browser to go afterwards.
    var formTargets: [String] = []
}
