-- Whose addresses a mesh object waits for. In trace_news, space -1 now says that everything may be otherwise.
CREATE INDEX address_wait_owner ON address_wait (owner, member);
