/// What attackers try first, as far as it is long enough for the policy.
///
/// Short common passwords never get here: the length rule refuses them. What is left are phrases from the
/// published lists, and words that long passwords are commonly put together from.
enum CommonPasswords {
    /// Whole phrases, in lower case without spaces.
    static let all: Set<String> = [
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

    /// Words of which a password must not consist, digits and signs aside.
    static let pieces = [
        "password", "passwort", "passw0rd", "p@ssword", "p@ssw0rd", "passphrase", "qwerty", "qwertz", "asdfgh",
        "zxcvbn",
        "letmein", "welcome", "admin", "administrator", "iloveyou", "changeme", "secret", "monkey", "dragon",
        "football",
        "baseball", "superman", "batman", "princess", "sunshine", "master", "shadow", "login", "default", "testtest",
        "test", "user", "root", "123456", "654321", "abcdef", "1q2w3e4r", "qazwsx", "spring", "summer", "autumn",
        "winter", "monday", "january",
    ]
}
