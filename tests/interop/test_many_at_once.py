"""Many sessions at the same time."""
import concurrent.futures
import threading

import bed
import clients
from clients import Smtp, plain

SESSIONS = 50


class ManyAtOnce(bed.SharedBed):
    POSTFIX = {"settings": ["default_process_limit = 120"]}

    def test_50_sessions_at_once(self):
        """All connected before the first AUTH; a mix of mechanisms, right and wrong."""
        users = [f"user{n}@example.org" for n in range(5)]
        passwords = {user: self.bed.add_user(user) for user in users}
        wrong = self.bed.secret()
        connected = threading.Barrier(SESSIONS, timeout=clients.PATIENCE)

        def session(number):
            user = users[number % len(users)]
            right = number % 3 != 0
            password = passwords[user] if right else wrong
            with Smtp(self.bed.port) as smtp:
                smtp.ehlo()
                connected.wait()
                if number % 2:
                    code = smtp.auth("PLAIN " + plain(user, password))
                else:
                    scram = clients.Scram(user, password)
                    challenge = smtp.send("AUTH SCRAM-SHA-256 " + scram.first())[1]
                    code, final, _ = smtp.send(scram.final(challenge))
                    if code == 334:
                        self.assertTrue(scram.server_is_right(final))
                        code = smtp.send("")[0]
            return code, 235 if right else 535

        with concurrent.futures.ThreadPoolExecutor(SESSIONS) as pool:
            outcomes = list(pool.map(session, range(SESSIONS)))
        self.assertEqual([got for got, _ in outcomes], [wanted for _, wanted in outcomes])


if __name__ == "__main__":
    bed.main()
