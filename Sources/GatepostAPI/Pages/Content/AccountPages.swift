/// Somebody's own account: who they are, and where they are signed in.
struct AccountPage: PageContent {
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

    let template = "account"
    let email: String
    /// The day on which the account was opened.
    let since: String
    let sessions: [Line]
    let hasOthers: Bool

    var values: [String: String] { ["since": since] }
}

/// Asks whether to sign out; without an address, says that nobody is signed in.
struct SignOutPage: PageContent {
    let template = "sign-out"
    let email: String?
    /// Where a client wants the browser to go afterwards.
    var formTargets: [String] = []
}
