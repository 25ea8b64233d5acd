# A host or service. GridFTP and transfer hosts act as clients too.
lifetime 395d
max-lifetime 395d
key rsa:2048 ec:P-256 ec:P-384
usage digitalSignature
usage keyEncipherment
purpose serverAuth
purpose clientAuth
# IGTF: classic; certified entity: a host.
policy 1.2.840.113612.5.2.2.1
policy 1.2.840.113612.5.2.3.3.2
