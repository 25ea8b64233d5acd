# A person's short-lived certificate: what signetd hands out at a login.
subject /DC=org/DC=ligo/O=LIGO/OU=People/CN={principal}
lifetime 12h
# 11 d 13 h 46 m 40 s: the most that the SLCS profile allows.
max-lifetime 1000000
key rsa:2048 ec:P-256 ec:P-384
usage digitalSignature
usage keyEncipherment
purpose clientAuth
# IGTF: short-lived credential service; certified entity: a natural person.
policy 1.2.840.113612.5.2.2.3
policy 1.2.840.113612.5.2.3.3.3
