import Foundation

/// What attackers try first: passwords from leaked collections, long words, phrases, and what passwords are put
/// together from (NIST SP 800-63B-4, section 3.1.1.2; OWASP ASVS 6.2.4).
///
/// Short entries are kept although the length rule refuses them alone: long passwords are made of them. Where the lists
/// come from stands beside them, in `Lists/README.md`.
enum FrequentPasswords {
    /// In the form of `PasswordReading.plain`.
    static let all: Set<String> = Set(phrases).union(pieces).union(list("frequent-passwords")).union(list("long-words"))

    /// A program without its lists would take any password, so it does not start (`PasswordPolicy.init`).
    private static func list(_ name: String) -> [String] {
        let file = Bundle.module.bundleURL.appendingPathComponent("Lists/\(name).list")
        guard let text = try? String(contentsOf: file, encoding: .utf8) else {
            fatalError("the list \(name) is missing from the program's resources")
        }
        return text.split(separator: "\n").map(String.init)
    }

    /// Phrases that are known to everybody.
    private static let phrases = [
        "correcthorsebatterystaple", "thequickbrownfox", "thequickbrownfoxjumpsoverthelazydog",
        "iloveyousomuch", "iloveyouforever", "iloveyoubabygirl", "letmeinletmein", "letmeinplease", "passwordpassword",
        "passwordispassword", "mypasswordispassword", "thisismypassword", "thisisapassword", "thisisasecret",
        "opensesameopensesame", "trustnoonetrustnoone", "tobeornottobethatisthequestion", "tobeornottobe",
        "maytheforcebewithyou", "loremipsumdolorsitamet", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjkl",
        "qwertyuiopasdfghjklzxcvbnm", "asdfghjklzxcvbnm", "zxcvbnmasdfghjkl", "administratoradministrator",
        "administrator", "changemechangeme", "welcomewelcome", "supercalifragilisticexpialidocious",
        "alohomoraalohomora", "onceuponatimeintheland", "onceuponatime", "happybirthdaytoyou", "jesuslovesme",
        "godisgoodallthetime", "inthebeginningwastheword", "winteriscoming", "hakunamatata", "donttellanyone",
        "incorrectpassword", "yourpasswordisincorrect", "ihatepasswords", "nevergonnagiveyouup",
    ]

    /// Words that long passwords are commonly put together from, however many of them.
    static let pieces = Set(
        [
            "password", "passwort", "passphrase", "qwerty", "qwertz", "asdfgh", "zxcvbn", "letmein", "welcome", "admin",
            "administrator", "iloveyou", "changeme", "secret", "monkey", "dragon", "football", "baseball", "superman",
            "batman", "princess", "sunshine", "master", "shadow", "login", "default", "test", "user", "root", "abcdef",
            "qazwsx", "spring", "summer", "autumn", "winter", "january", "february", "march", "april", "june", "july",
            "august", "september", "october", "november", "december", "monday", "tuesday", "wednesday", "thursday",
            "friday", "saturday", "sunday", "sommer", "herbst", "frühling", "montag", "freitag",
        ].map(PasswordReading.plain))
}
