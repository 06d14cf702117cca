/// A link in the browser that began the sign-up: one button.
struct ConfirmPage: PageContent {
    let template = "confirm"
    let email: String
    /// A sign-up that was begun on a page goes on at its client.
    let formTargets: [String]
}

/// A link anywhere else: its owner chooses the password.
struct ChoosePasswordPage: PageContent {
    let template = "choose-password"
    let email: String
    /// What was wrong with the last try.
    let problem: FormProblem?
}

/// The link to an audit export: one button, or, with neither name nor number, that it no longer works.
struct AuditExportPage: PageContent {
    let template = "audit-export"
    let exported: String?
    let rows: Int64?

    var values: [String: String] { ["exported": exported ?? "", "rows": rows.map(String.init) ?? ""] }
}

/// An invitation to administer.
struct InvitationPage: PageContent {
    let template = "invitation"
    let email: String
    let role: String
    /// The name of an app, or all of them.
    let place: String
    let asksForPassword: Bool
    /// What was wrong with the last try.
    let problem: FormProblem?

    var values: [String: String] { ["role": role, "place": place] }
}

extension PlainPage {
    /// A link that is used up, replaced, expired or was never sent.
    static let linkGone = PlainPage(template: "link-gone")
    /// The address is verified.
    static let linkDone = PlainPage(template: "link-done")
    /// The invitation is accepted.
    static let invitationDone = PlainPage(template: "invitation-done")
}

/// The page cannot be shown, and why.
struct ProblemPage: PageContent {
    let template = "problem"
    let problem: String
    let detail: String?
}
