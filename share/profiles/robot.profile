# A program that acts as a client. Name it "CN=Robot: purpose - contact", and
# give the address of the group that answers for it.
lifetime 395d
max-lifetime 395d
key rsa:2048 ec:P-256 ec:P-384
usage digitalSignature
usage keyEncipherment
purpose clientAuth
# IGTF: classic; certified entity: a robot.
policy 1.2.840.113612.5.2.2.1
policy 1.2.840.113612.5.2.3.3.1
