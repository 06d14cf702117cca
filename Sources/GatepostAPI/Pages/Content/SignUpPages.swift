/// Opening an account: an address and a password.
struct SignUpPage: PageContent {
    let template = "sign-up"
    /// What was typed or hinted at.
    let email: String?
    let problem: FormProblem?
    /// One for each identity provider that opens accounts.
    let providers: [ProviderButton]
    let hasProviders: Bool
    /// What follows the address of each page that belongs to the same sign-in.
    let query: String
    let formTargets: [String]
}

/// "Look into your mail": the code to type, and the mail once more.
struct CheckMailPage: PageContent {
    let template = "check-mail"
    let email: String
    let problem: FormProblem?
    let isSentAgain: Bool
    let resendPath: String
    let backPath: String
    let formTargets: [String]
}
