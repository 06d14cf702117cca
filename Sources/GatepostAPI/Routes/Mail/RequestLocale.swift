import GatepostModel
import HTTPTypes
import Hummingbird

/// The language that a person wants to be written to in, as a body names it: a tag such as `de` or `pt-BR`.
struct RequestLocale: Decodable {
    let tag: String

    init(from decoder: any Decoder) throws {
        tag = try decoder.singleValueContainer().decode(String.self)
        guard LocaleChoice.isTag(tag) else {
            throw Problem(.invalidRequest, detail: "locale is a language tag, such as de or pt-BR.")
        }
    }

    /// What a request tells of the person's language: what its body names, or else what the browser likes best.
    static func tag(of request: Request, _ named: RequestLocale?) -> String? {
        if let named { return named.tag }
        let first = request.headers[.acceptLanguage]?.split { $0 == "," || $0 == ";" }.first.map(String.init)
        return first.flatMap { LocaleChoice.isTag($0) ? $0 : nil }
    }
}
