/// A page with a form on which something may have been wrong.
protocol FormPage: PageContent {
    var problem: FormProblem? { get }
}

/// A page with an address in it: one that is asked for, or one for which a password is chosen.
struct EmailPage: FormPage {
    let template: String
    let email: String?
    /// What was wrong with the last try.
    let problem: FormProblem?
    /// What follows the address of each page that belongs to the same sign-in, `?request=arq_…` or nothing.
    var query = ""
}

/// A page on which the code of a mail is typed.
struct CodePage: FormPage {
    let template: String
    let email: String
    /// What was wrong with the last try.
    let problem: FormProblem?
    /// What follows the address of each page that belongs to the same sign-in, `?request=arq_…` or nothing.
    let query: String
    var formTargets: [String] = []

    var values: [String: String] { ["address": email] }
}

/// A link in the browser that began: one button.
struct ClickPage: PageContent {
    let template: String
    let email: String
    var formTargets: [String] = []
}

/// Something is done, and where to go on.
struct DonePage: PageContent {
    let template: String
    /// What follows the address of the page to sign in on.
    var query = ""
}
