import GatepostModel

/// Development: what the mail catcher holds.
struct DevMailsPage: PageContent {
    let template = "mails"
    let mails: [MailLine]
}

/// Development: one mail.
struct DevMailPage: PageContent {
    let template = "mail"
    let mail: MailView
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
