/// A page that a person sees: what it says beside its texts, and the template that says it.
///
/// The template reads a page's properties as `page.…`, its texts as `t.…`, and escapes every value. A page is a type of
/// its own, in a file of its own; its template lies under `Templates`, its texts in each file under `Texts`.
protocol PageContent {
    /// The template's file, without its ending.
    var template: String { get }
    /// What stands for the placeholders of the page's texts, beside `{app}`.
    var values: [String: String] { get }
    /// Where a form of the page may lead beside Gatepost's own address, as a policy writes it.
    var formTargets: [String] { get }
}

extension PageContent {
    var values: [String: String] { [:] }
    var formTargets: [String] { [] }
}

/// A page that is all texts.
struct PlainPage: PageContent {
    let template: String
    var values: [String: String] = [:]
}

/// What was wrong with a form, and with which of its fields.
struct FormProblem {
    let text: String
    /// The field's name, which is also its id; nil where it is no one field.
    let field: String?
    /// The same, so that a template can ask whether it is a certain one: `page.problem.at.email`.
    let at: [String: Bool]

    init(_ text: String, at field: String? = nil) {
        (self.text, self.field) = (text, field)
        at = field.map { [$0: true] } ?? [:]
    }
}
