/// Follows a server's replies line by line and keeps the one that decides (RFC 5321, section 4.2.1).
///
/// After a refusal libcurl says `QUIT`, so the last line it reports is `221 Bye`; the refusal before it is the one to
/// keep. A refusal that libcurl got over (`EHLO` refused, `HELO` taken) is forgotten with the next good reply.
struct SMTPReplies {
    struct Reply: Equatable {
        let code: Int
        var text: String
    }

    /// The most bytes kept of one reply.
    static let textBytesMax = 2000

    /// The last reply that was neither a refusal nor the answer to `QUIT`.
    private(set) var lastPositive: Reply?
    /// The refusal that stands.
    private(set) var refusal: Reply?
    private var partial: Reply?
    private var refusalsInARow = 0

    /// The reply that decided.
    var deciding: Reply? { refusal ?? lastPositive }

    /// Whether libcurl has nothing more to say than `QUIT`.
    ///
    /// The first refusal after a greeting, or after the 220 of STARTTLS, is that of `EHLO`: libcurl then says `HELO`.
    var isGoodByeNext: Bool {
        lastPositive?.code == 220 ? refusalsInARow > 1 : refusalsInARow > 0
    }

    /// Takes the next line, with or without its line break.
    mutating func receive(_ line: some Collection<UInt8>) {
        var bytes = Array(line)
        while let last = bytes.last, last == UInt8(ascii: "\r") || last == UInt8(ascii: "\n") { bytes.removeLast() }
        guard bytes.count >= 3, bytes[..<3].allSatisfy({ (0x30...0x39).contains($0) }) else { return }
        let code = bytes[..<3].reduce(0) { $0 * 10 + Int($1 - 0x30) }
        let rest = String(decoding: bytes.dropFirst(4), as: UTF8.self)
        if var reply = partial, reply.code == code {
            if reply.text.utf8.count + rest.utf8.count < Self.textBytesMax { reply.text += " \(rest)" }
            partial = reply
        } else {
            let isShort = rest.utf8.count <= Self.textBytesMax
            partial = Reply(code: code, text: isShort ? rest : String(rest.prefix(Self.textBytesMax)))
        }
        guard bytes.count == 3 || bytes[3] != UInt8(ascii: "-"), let reply = partial else { return }
        partial = nil
        switch code {
        case 400...599:
            refusal = reply
            refusalsInARow += 1
        case 221 where lastPositive != nil || refusal != nil:
            break
        default:
            refusal = nil
            refusalsInARow = 0
            lastPositive = reply
        }
    }
}
