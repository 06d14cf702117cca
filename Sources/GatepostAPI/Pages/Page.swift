import GatepostModel

/// A page that a person sees, with what it says.
///
/// Each case is rendered by the template of its name; the templates escape every value.
enum Page {
    /// A link in the browser that began the sign-up: one button.
    case confirm(app: String, email: String)
    /// A link anywhere else: its owner chooses the password. `problem` says what was wrong with the last try.
    case choosePassword(app: String, email: String, problem: String?)
    /// A link that is used up, replaced, expired or was never sent.
    case linkGone(app: String)
    /// The address is verified.
    case linkDone(app: String)
    /// The link to an audit export: one button, or, with neither name nor number, that it no longer works.
    case auditExport(app: String, exported: String?, rows: Int64?)
    /// An invitation to administer; `problem` says what was wrong with the last try.
    case invitation(app: String, Invitation, problem: String?)
    /// The invitation is accepted.
    case invitationDone(app: String)
    /// The page cannot be shown.
    case problem(title: String, detail: String?)
    /// Development: what the mail catcher holds.
    case mails([MailLine])
    /// Development: one mail.
    case mail(MailView)

    /// The file under `Templates`, without its ending.
    var template: String {
        switch self {
        case .confirm: "confirm"
        case .choosePassword: "choose-password"
        case .linkGone: "link-gone"
        case .linkDone: "link-done"
        case .auditExport: "audit-export"
        case .invitation: "invitation"
        case .invitationDone: "invitation-done"
        case .problem: "problem"
        case .mails: "mails"
        case .mail: "mail"
        }
    }

    /// Whether the page belongs to the development server, whose policy lets a mail's own style through.
    var isForDevelopment: Bool {
        switch self {
        case .mails, .mail: true
        default: false
        }
    }

    /// What the template reads by name.
    var content: Content {
        switch self {
        case .confirm(let app, let email): Content(app: app, email: email)
        case .choosePassword(let app, let email, let problem): Content(app: app, email: email, problem: problem)
        case .auditExport(let app, let exported, let rows):
            Content(app: app, exported: exported, rows: rows.map(String.init))
        case .linkGone(let app), .linkDone(let app), .invitationDone(let app): Content(app: app)
        case .invitation(let app, let invitation, let problem):
            Content(app: app, email: invitation.email, problem: problem, invitation: invitation)
        case .problem(let title, let detail): Content(problem: title, detail: detail)
        case .mails(let mails): Content(mails: mails)
        case .mail(let mail): Content(mail: mail)
        }
    }

    /// What an invitation offers.
    struct Invitation {
        let email: String
        let role: String
        /// The name of an app, or all of them.
        let place: String
        let asksForPassword: Bool
    }

    struct Content {
        var app: String?
        var email: String?
        var problem: String?
        var detail: String?
        var exported: String?
        var rows: String?
        var mails: [MailLine] = []
        var mail: MailView?
        var invitation: Invitation?
    }
}

/// A mail in the list of the development server.
struct MailLine {
    let id: String
    let to: String
    let subject: String
    let date: String

    init(_ mail: DevMail) {
        (id, subject) = (mail.id, mail.subject)
        to = mail.to.joined(separator: ", ")
        date = mail.date.minuteText
    }
}

/// A mail as the development server shows it.
struct MailView {
    /// A run of text, or an address in it that can be followed.
    struct Piece {
        let text: String
        let isLink: Bool
    }

    let from: String
    let to: String
    let subject: String
    let date: String
    let pieces: [Piece]
    let html: String?
    let raw: String

    init(_ mail: DevMail) {
        (from, subject, html, raw) = (mail.from, mail.subject, mail.html, mail.raw)
        to = mail.to.joined(separator: ", ")
        date = mail.date.minuteText
        pieces = Self.pieces(of: mail.text)
    }

    /// Splits at spaces and line ends, so that what begins like an address becomes a link.
    private static func pieces(of text: String) -> [Piece] {
        var pieces: [Piece] = []
        var rest = text[...]
        while let start = rest.ranges(of: /https?:\/\//).first?.lowerBound {
            let link = rest[start...].prefix { !$0.isWhitespace && $0 != ">" && $0 != "\"" }
            pieces.append(Piece(text: String(rest[..<start]), isLink: false))
            pieces.append(Piece(text: String(link), isLink: true))
            rest = rest[link.endIndex...]
        }
        return pieces + [Piece(text: String(rest), isLink: false)]
    }
}

extension Instant {
    /// `2026-11-23 09:30:00`, for people.
    fileprivate var minuteText: String { String(description.prefix(19)).replacing("T", with: " ") }
}
