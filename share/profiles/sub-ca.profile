# A CA under a root, which signs end entities and no further CA.
lifetime 20y
max-lifetime 20y
key rsa:2048 ec:P-256 ec:P-384
usage keyCertSign
usage cRLSign
ca yes
path-length 0
# anyPolicy: what lies below says which policy it follows.
policy 2.5.29.32.0
