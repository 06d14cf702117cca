/// Signing in: by password, and by whatever other way the app offers.
struct SignInPage: PageContent {
    let template = "sign-in"
    /// What was typed or hinted at.
    let email: String?
    let problem: FormProblem?
    /// One for each identity provider.
    let providers: [ProviderButton]
    /// What follows the address of each page that belongs to the same sign-in, `?request=arq_…` or nothing.
    let query: String
    let offersSignUp: Bool
    /// Whether there is any way in but the password: by mail, as where accounts are opened, or by a provider.
    let hasOtherWays: Bool
    let formTargets: [String]
}
